"""A question to the log as people ask it: texts of a form or an address, before they mean anything. Pure.

Kept, hashed and shown again as it was typed; `enclave.queries.logbook` turns it into conditions on entries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256

from enclave.actions import ABOUT, Action, Task

LONGEST = 200
# A period that moves along with today, in days.
RECENT = (1, 7, 30, 90, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Texts; an empty one asks nothing. `begin` and `end` are Korean days or ISO moments, `end` included.

    `recent`: days up to now, instead of a period. `actor`: a login or an account's id. `dataset`: a data set with all
    its snapshots. `thing`: the id of what was acted on. `action`: one, or all of a kind (`egress.`). `task`: 수행업무.
    `place`: an address. `reason`: a code. `text`: words.
    """

    begin: str = ""
    end: str = ""
    recent: str = ""
    actor: str = ""
    project: str = ""
    dataset: str = ""
    thing: str = ""
    action: str = ""
    task: str = ""
    outcome: str = ""
    place: str = ""
    reason: str = ""
    session: str = ""
    text: str = ""

    @classmethod
    def of(cls, typed: Mapping[str, str]) -> Question:
        """Return the question in fields of these names; other names say nothing, too long texts are cut."""
        return cls(**{name: str(typed[name]).strip()[:LONGEST] for name in NAMES if name in typed})

    def given(self) -> dict[str, str]:
        """Return what it asks, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def sha256(self) -> str:
        """The hash under which entries name it."""
        return sha256(
            json.dumps(self.given(), sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        ).hexdigest()


NAMES = tuple(field.name for field in fields(Question))


def actions_of(task: Task) -> tuple[str, ...]:
    """Return the actions of one 수행업무."""
    return tuple(action.value for action in Action if ABOUT[action].task is task)
