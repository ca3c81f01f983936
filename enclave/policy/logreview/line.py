"""One entry of the log as the rules of the review see it: small, since a month may have a million of them. Pure."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from enclave.actions import Action
from enclave.actor import CONSOLE_ID, SYSTEM_ID

Value = str | int | bool
NOTHING: Mapping[str, Value] = MappingProxyType({})
UNREADABLE = "log.unreadable"
UNWRITTEN = re.compile("[\0\ud800-\udfff]")
# In which one can count days both ways and in every zone.
YEARS = 2000, 3000
# Whose details some rule reads; those of all others would only fill memory.
DETAILED = frozenset(
    {
        Action.DISPLAY_SHOWN.value,
        Action.EGRESS_PREFLIGHT.value,
        Action.EGRESS_SUBMIT.value,
        Action.RELEASE_HAND_OVER.value,
        Action.ROLE_GRANT.value,
        Action.HUB_EVENT.value,
        Action.DISPLAY_UNSEARCHED.value,
    }
)
NO_PERSON = frozenset({"", CONSOLE_ID, SYSTEM_ID, "sequencer"})
DONE = frozenset({"done", "allowed"})
# The log's own entries: heartbeat, canary, clock, gaps.
OF_LOG = ("log.", "anchor.")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `index`: its leaf; `details`: only of actions that some rule asks about."""

    index: int
    at: datetime
    actor: str
    action: str
    outcome: str
    project: str = ""
    object_id: str = ""
    ip: str = ""
    session: str = ""
    reason: str = ""
    details: Mapping[str, Value] = field(default_factory=lambda: NOTHING)

    @property
    def is_person(self) -> bool:
        """Whether somebody with an account did it."""
        return self.actor not in NO_PERSON

    @property
    def is_done(self) -> bool:
        """Whether it was let through."""
        return self.outcome in DONE

    def number(self, name: str, other: int = 0) -> int:
        """Return a whole number among the details, `other` where there is none."""
        value = self.details.get(name, other)
        return value if isinstance(value, int) and not isinstance(value, bool) else other


def read(index: int, data: bytes) -> Line:
    """Return the line of an entry's bytes; bytes that are no entry become a line of the log's own (`log.unreadable`).

    Never raises: a review does not end at what somebody wrote past the outbox.
    """
    try:
        # Not `canonical.decode`: a spelling that is not ours is the verifier's to find, and costs four times as much.
        record = json.loads(data)
        at = datetime.strptime(str(record["at"]), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError, RecursionError):
        return _unreadable(index)
    plain = data.isascii() and b"\\u" not in data
    if not YEARS[0] <= at.year < YEARS[1] or not (plain or _is_written(record)):
        return _unreadable(index)
    actor, source, thing, reason = (_group(record, name) for name in ("actor", "from", "object", "reason"))
    action = _word(record.get("action"))
    details = _group(record, "details") if action in DETAILED or action.startswith(OF_LOG) else NOTHING
    return Line(
        index=index,
        at=at,
        actor=_word(actor.get("id")),
        action=action,
        outcome=_word(record.get("outcome")),
        project=_word(record.get("project")),
        object_id=str(thing.get("id", "")),
        ip=_word(source.get("ip")),
        session=_word(source.get("session")),
        reason=_word(reason.get("code")),
        details=details,
    )


def _unreadable(index: int) -> Line:
    return Line(index, datetime.fromtimestamp(0, UTC), "", UNREADABLE, "failed")


def _is_written(value: object) -> bool:
    """Whether a database can keep every text: JSON can spell a zero character and halves of characters."""
    if isinstance(value, str):
        return UNWRITTEN.search(value) is None
    return all(map(_is_written, value.values())) if isinstance(value, dict) else True


def _group(record: Mapping[str, object], name: str) -> Mapping[str, Value]:
    found = record.get(name)
    return found if isinstance(found, dict) else NOTHING


def _word(value: object) -> str:
    # Few different ones, each a million times.
    return sys.intern(value) if isinstance(value, str) else ""
