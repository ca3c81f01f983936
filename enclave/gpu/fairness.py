"""Who is next in the queue for a GPU, and about when. Pure.

The project that was charged least in the last days goes first; inside a project, who asked first. A project is
charged the time its devices were held, and for one that is held now the time until its limit: whoever has a device
already waits behind whoever has none. Nobody starves: a project that only waits is charged nothing more, what it was
charged goes out of the window, and among equals the oldest request wins.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from enclave.gpu.devices import GpuKind


@dataclass(frozen=True)
class Wish:
    """One request in the queue."""

    lease_id: str
    project_id: str
    kind: GpuKind
    asked_at: datetime
    minutes: int


@dataclass(frozen=True)
class Held:
    """One lease that held or holds a device: until its end, or until its limit while it lasts."""

    project_id: str
    start: datetime
    end: datetime


def charged(held: Iterable[Held], since: datetime) -> dict[str, int]:
    """Return the seconds that count against each project: what was held after `since`."""
    seconds: dict[str, int] = {}
    for one in held:
        counted = int((one.end - max(one.start, since)).total_seconds())
        seconds[one.project_id] = seconds.get(one.project_id, 0) + max(0, counted)
    return seconds


def ordered(wishes: Iterable[Wish], held: Iterable[Held], since: datetime) -> list[Wish]:
    """Return the wishes in the order in which they would be granted if devices became free and nobody else asked."""
    left, seconds, result = list(wishes), charged(held, since), []
    while left:
        following = min(left, key=lambda wish: (seconds.get(wish.project_id, 0), wish.asked_at, wish.lease_id))
        left.remove(following)
        result.append(following)
        seconds[following.project_id] = seconds.get(following.project_id, 0) + following.minutes * 60
    return result


def expected(queue: Sequence[Wish], free_at: Iterable[datetime]) -> list[datetime | None]:
    """Return for each wish of one kind, in order, when a device would be its own if everybody uses all their time.

    `free_at` has one moment for each device of that kind; without any there is no answer.
    """
    free = list(free_at)
    heapq.heapify(free)
    found: list[datetime | None] = []
    for wish in queue:
        moment = heapq.heappop(free) if free else None
        found.append(moment)
        if moment is not None:
            heapq.heappush(free, moment + timedelta(minutes=wish.minutes))
    return found
