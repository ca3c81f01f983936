"""What the gate saw and the portal has not yet recorded: durable, in order, bounded.

Whoever must record before acting puts the event first and acts only when `put` has returned: a full spool, a full
disk or a portal that stays away closes the act, not the record. The portal pulls with `events` and, when its own
transaction is through, lets go with `settle`; an event may be seen twice, never lost.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from enclave.clock import now
from enclave.errors import Unavailable
from enclave.gate.events import Details, GateEvent, event_of
from enclave.gate.journal import Journal, Place

KIND = re.compile(r"[a-z]+(-[a-z]+)*")
# One answer to the portal; at least one event is always in it.
PULL_BYTES = 4 << 20
SLACK = 16 << 20


@dataclass(frozen=True)
class Bounds:
    """How much may wait: for the whole gate, and for one workspace, so that none can close the others' way."""

    events: int = 40_000
    size: int = 512 << 20
    workspace_events: int = 8_000
    workspace_size: int = 96 << 20
    text: int = 1 << 20


@dataclass(frozen=True)
class Draft:
    """An event that is not kept yet."""

    workspace_id: str
    kind: str
    details: Details
    text: bytes = b""


class Spool:
    """Events under `folder` (the gate's own, 0700). Safe to use from several threads."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = now, bounds: Bounds | None = None) -> None:
        self._clock, self._bounds = clock, bounds or Bounds()
        self._journal = Journal(folder)
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, Place]] = {}
        self._count: Counter[str] = Counter()
        self._size: Counter[str] = Counter()
        self._next = 1
        for place, line in self._journal.lines():
            self._replay(place, line)
        self._tidy()

    def put(self, workspace_id: str, kind: str, details: Details, text: bytes = b"") -> str:
        """Keep one event and return its id. Raises `Unavailable` or `OSError`: then nothing was kept."""
        return self.put_all([Draft(workspace_id, kind, details, text)])[0]

    def put_all(self, drafts: Sequence[Draft]) -> list[str]:
        """Keep several events with one sync, all or none; returns their ids."""
        with self._lock:
            events = [self._event(draft, index) for index, draft in enumerate(drafts)]
            self._check(events)
            places = self._journal.append({"event": event.as_json()} for event in events)
            self._next += len(events)
            for event, place in zip(events, places, strict=True):
                self._wait(event.id, event.workspace_id, place)
        return [event.id for event in events]

    def reserve(self) -> None:
        """Take the room of the next events now, while there is some; raises `OSError` where there is none."""
        with self._lock:
            self._journal.reserve()

    def events(self, limit: int = 200) -> list[GateEvent]:
        """Return the oldest events that wait, at most `limit` of them and about four megabytes."""
        with self._lock:
            places = [place for _, place in list(self._waiting.values())[:limit]]
            found: list[GateEvent] = []
            size = 0
            for place in places:
                size += place.size
                if found and size > PULL_BYTES:
                    break
                found.append(event_of(self._journal.read(place)["event"]))
        return found

    def settle(self, ids: Iterable[str]) -> int:
        """Let go of recorded events; ids that are not known (any more) are passed over. Returns how many went."""
        with self._lock:
            gone = [name for name in dict.fromkeys(ids) if name in self._waiting]
            if gone:
                # On a full disk this cannot be written down, and yet it is what makes room: then, after a crash,
                # these events are seen again.
                with suppress(OSError):
                    self._journal.append([{"settled": gone, "next": self._next}])
                for name in gone:
                    self._let_go(name)
                self._tidy()
        return len(gone)

    def figures(self) -> dict[str, int]:
        """Return how many events and bytes wait."""
        with self._lock:
            return {"events": len(self._waiting), "bytes": self._size.total()}

    def _event(self, draft: Draft, index: int) -> GateEvent:
        plain = all(type(value) in {str, int, bool} for value in draft.details.values())
        if not plain or not KIND.fullmatch(draft.kind):
            raise ValueError(f"not an event: {draft.kind!r}")
        name = f"{self._next + index:012d}-{secrets.token_hex(6)}"
        return GateEvent(name, self._clock(), draft.workspace_id, draft.kind, dict(draft.details), draft.text)

    def _check(self, events: Sequence[GateEvent]) -> None:
        bounds = self._bounds
        count, size = Counter(event.workspace_id for event in events), Counter[str]()
        for event in events:
            size[event.workspace_id] += len(event.text)
            if len(event.text) > bounds.text:
                raise _full(event.workspace_id)
        if len(self._waiting) + len(events) > bounds.events or self._size.total() + size.total() > bounds.size:
            raise _full("")
        # One event that is never settled keeps all later segments.
        if self._journal.size() > 2 * bounds.size + SLACK:
            raise _full("")
        for name, more in count.items():
            if self._count[name] + more > bounds.workspace_events:
                raise _full(name)
            if self._size[name] + size[name] > bounds.workspace_size:
                raise _full(name)

    def _wait(self, name: str, workspace_id: str, place: Place) -> None:
        self._waiting[name] = (workspace_id, place)
        self._count[workspace_id] += 1
        self._size[workspace_id] += place.size

    def _let_go(self, name: str) -> None:
        workspace_id, place = self._waiting.pop(name)
        self._count[workspace_id] -= 1
        self._size[workspace_id] -= place.size
        if not self._count[workspace_id]:
            del self._count[workspace_id], self._size[workspace_id]

    def _replay(self, place: Place, line: dict[str, Any]) -> None:
        if "event" in line:
            event = event_of(line["event"])
            self._wait(event.id, event.workspace_id, place)
            self._next = max(self._next, int(event.id.partition("-")[0]) + 1)
        self._next = max(self._next, line.get("next", 1))
        for name in line.get("settled", []):
            if name in self._waiting:
                self._let_go(name)

    def _tidy(self) -> None:
        """Remove segments from the oldest on while nothing in them waits: what settles a line lies in a later one."""
        needed = min((place.segment for _, place in self._waiting.values()), default=None)
        # The last one stays: it carries the numbers on.
        for segment in self._journal.segments[:-1]:
            if needed is not None and segment >= needed:
                break
            self._journal.drop(segment)


def _full(workspace_id: str) -> Unavailable:
    which = f" ({workspace_id})" if workspace_id else ""
    return Unavailable(
        "gate.spool-full",
        ko=f"게이트의 기록 대기열이 가득 찼습니다{which}. 기록할 수 없는 일은 하지 않습니다.",
        en=f"The gate's queue of events to record is full{which}. What cannot be recorded is not done.",
        remedy_ko="포털이 실행 중인지 확인하십시오. 포털이 기록을 가져가면 곧 다시 됩니다.",
        remedy_en="Check that the portal runs; once it has fetched the events this works again.",
    )
