"""Ten million entries as an enclave of two hundred people writes them in a few years, straight into the index.

Nothing is drawn twice: the same number gives the same log. Rows are put together from the parts that `audit.index`
would store, since encoding and reading back ten million entries would take most of an hour; a test holds one against
the other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zlib import crc32

from audit.wording import stored_words

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 1_050
ACTIONS = {
    "code.executed": 40, "display.shown": 22, "account.log-in": 6, "account.log-out": 4, "workspace.requested": 5,
    "workspace.started": 5, "workspace.stopped": 5, "log.view": 3, "egress.view": 3, "egress.submit": 1,
    "egress.approve": 1, "route.refused": 2, "clipboard.copy": 2, "screen.locked": 2, "display.searched": 3,
    "release.hand-over": 0.3, "role.grant": 0.05, "snapshot.publish": 0.02, "egress.reject": 0.2, "code.view": 0.2,
}  # fmt: skip
DENIED = ("display.spent", "role.missing", "egress.two-person", "account.locked", "workspace.frozen")
REASONS = ("최소빈도 10 충족", "지배성 검토 완료", "재식별 위험 낮음", "보완 뒤 재제출")
ACTORS, PROJECTS, PLACES = 220, 90, 400


@dataclass(frozen=True)
class Project:
    """A project runs for some months, with some of the people."""

    id: str
    first: int
    last: int
    actors: tuple[str, ...]


def projects() -> list[Project]:
    """Return the projects, each of 60 to 500 days somewhere in the three years."""
    draw = random.Random(7)
    made = []
    for number in range(PROJECTS):
        first = draw.randrange(DAYS - 60)
        people = tuple(f"u-{draw.randrange(ACTORS):04}" for _ in range(draw.randrange(2, 9)))
        made.append(Project(f"p-{number:03}", first, first + draw.randrange(60, 500), people))
    return made


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` rows of the index in leaf order, most of them in working hours."""
    draw = random.Random(11)
    known, names, weights = projects(), list(ACTIONS), list(ACTIONS.values())
    running: list[Project] = []
    day, moments = -1, iter(())
    for number in range(count):
        if number * DAYS // count != day:
            day = number * DAYS // count
            running = [each for each in known if each.first <= day <= each.last] or known[:1]
            share = count // DAYS + 2
            moments = iter(sorted(_second(draw) for _ in range(share)))
        at = BEGIN + timedelta(days=day, seconds=next(moments, 86_399), microseconds=number % 1_000_000)
        yield _row(draw, number, at, draw.choice(running), draw.choices(names, weights)[0])


def _second(draw: random.Random) -> int:
    # Nine to seven in Korea is midnight to ten in UTC.
    return draw.randrange(36_000) if draw.random() < 0.94 else draw.randrange(86_400)


def _row(draw: random.Random, number: int, at: datetime, project: Project, action: str) -> dict[str, Any]:
    actor = draw.choice(project.actors)
    denied = action == "route.refused" or draw.random() < 0.015
    sha256 = f"{draw.getrandbits(256):064x}" if draw.random() < 0.5 else ""
    reason_text = draw.choice(REASONS) if action in {"egress.approve", "egress.reject"} else ""
    made = {
        "leaf_index": number,
        "entry_id": f"{number:026}",
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": actor,
        "actor_role": "scientist",
        "action": action,
        "outcome": "denied" if denied else "done",
        "project": project.id,
        "object_kind": action.partition(".")[0],
        "object_id": f"w-{_of(actor, project.id) % 5_000:04}" if draw.random() < 0.8 else f"e-{number // 40:07}",
        "from_ip": f"10.20.{_of(actor) % 4}.{_of(actor, number // 200_000) % 100}",
        "session": f"s-{_of(actor, number // 3_000) % 10**9:09}",
        "reason_code": draw.choice(DENIED) if denied else "",
        "reason_text": reason_text,
        "subjects_count": 0,
        "subjects_kind": "",
        "observer": "portal",
    }
    searched = (actor, action, project.id, made["object_id"], made["from_ip"], made["reason_code"], reason_text)
    made["words"] = "\n".join([stored(str(each)) for each in searched if each] + ([f" {sha256}"] if sha256 else []))
    return made


def _of(*parts: object) -> int:
    return crc32(repr(parts).encode())


stored = cache(stored_words)
