"""What one event of the gate is in the log: its action, its outcome, its details. Pure; nothing here stores anything.

The gate is ours, but what it tells about comes from browsers and kernels: only words, numbers and hashes pass into
an entry, anything else as its hash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from audit.event import Event, Outcome
from enclave.actions import Action
from enclave.actor import SYSTEM_ID
from enclave.gate.events import GateEvent

Details = dict[str, str | int | bool]
CODE, DISPLAY = "code", "display"
ACTIONS = {
    CODE: Action.CODE_EXECUTED,
    DISPLAY: Action.DISPLAY_SHOWN,
    "display-spent": Action.DISPLAY_SPENT,
    "route-refused": Action.ROUTE_REFUSED,
    "seat-refused": Action.SEAT_REFUSED,
    "locked": Action.SCREEN_LOCKED,
    "unlocked": Action.SCREEN_UNLOCKED,
    "clipboard": Action.CLIPBOARD_COPY,
}
OUTCOMES: dict[str, Outcome] = {
    CODE: "allowed",
    "display-spent": "denied",
    "route-refused": "denied",
    "seat-refused": "denied",
    "malformed": "denied",
}
# What `clipboard` and kinds yet unknown say about themselves, as the log says it.
SAID: dict[str, Outcome] = {
    "refused": "denied",
    "denied": "denied",
    "allowed": "allowed",
    "failed": "failed",
    "broken": "failed",
}
KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,79}")
MIMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+,-]{0,199}")
MOST_DETAILS = 20
LARGEST = (1 << 53) - 1


@dataclass(frozen=True)
class Place:
    """Where it was seen: a workspace, and whose in which project; without these two it is not one of ours.

    The gate itself, where an event is about no workspace, is the place `GATE`.
    """

    workspace_id: str
    project_id: str | None = None
    account_id: str | None = None
    kind: str = "workspace"

    @property
    def known(self) -> bool:
        """Whether it is the gate, or a workspace that the database knows."""
        return self.project_id is not None or self == GATE


GATE = Place("gate", kind="gate")


def entry(event: GateEvent, place: Place) -> Event:
    """Return the entry of one event."""
    details = {**safe(event.details), "kind": word(event.kind), "event": word(event.id)}
    details["seen_at"] = event.at.isoformat(timespec="milliseconds")
    outcome = OUTCOMES.get(event.kind) or SAID.get(str(event.details.get("outcome", "")), "done")
    digest = None
    if event.text:
        digest = sha256(event.text).hexdigest()
        details["characters"] = len(text_of(event.text))
    why = event.details.get("why")
    reason = f"{event.kind}.{why}" if why and WORD.fullmatch(str(why)) else None
    return _event(action_of(event.kind), place, outcome, details, reason=reason, digest=digest)


def more(kind: str, place: Place, events: Sequence[GateEvent]) -> Event:
    """Return the entry that stands for several events of one kind, of which only the number is told."""
    details: Details = {"kind": word(kind), "more": sum(stands_for(each) for each in events)}
    details |= {"first": word(events[0].id), "last": word(events[-1].id)}
    return _event(action_of(kind), place, OUTCOMES.get(kind, "done"), details)


def shown(place: Place, events: Sequence[GateEvent]) -> Event:
    """Return the entry of everything that was shown in one workspace since the last: sums, no text."""
    details: Details = {name: sum(number(each, name) for each in events) for name in ("bytes", "rows", "pictures")}
    details |= {"shown": len(events), "texts": sum(bool(each.text) for each in events)}
    details |= {"first": word(events[0].id), "last": word(events[-1].id)}
    return _event(Action.DISPLAY_SHOWN, place, "allowed", details)


def unsearched(place: Place, counts: Mapping[str, int]) -> Event:
    """Return the entry that owns up to shown texts that were not searched for identifiers, by reason."""
    details: Details = {name: count for name, count in counts.items() if count}
    return _event(Action.DISPLAY_UNSEARCHED, place, "failed", details)


def buried(event: GateEvent, code: str) -> Event:
    """Return the entry of an event that could not be recorded as what it is."""
    details: Details = {"event": word(event.id), "kind": word(event.kind)}
    if event.text:
        details["text_sha256"] = sha256(event.text).hexdigest()
    return _event(Action.GATE_EVENT, Place(word(event.workspace_id)), "failed", details, reason=code)


def stands_for(event: GateEvent) -> int:
    """Return how many happenings an event tells of: the gate counts a flood of notices itself, and says so."""
    return number(event, "count") if is_sum(event) else 1


def is_sum(event: GateEvent) -> bool:
    """Return whether an event is the gate's own count of more of its kind."""
    return event.details.get("why") == "more-of-this"


def action_of(kind: str) -> Action:
    """Return the action under which a kind is recorded."""
    return ACTIONS.get(kind, Action.GATE_EVENT)


def safe(details: Mapping[str, object]) -> Details:
    """Return the details that may stand in the log: numbers, and texts that are words; other texts as their hash."""
    kept: Details = {}
    for name, value in list(details.items())[:MOST_DETAILS]:
        if not KEY.fullmatch(name) or name in {"kind", "event", "seen_at"}:
            name = "of" if name == "kind" else "other"  # noqa: PLW2901 - the name it gets in the entry
        if isinstance(value, bool):
            kept[name] = value
        elif isinstance(value, int):
            kept[name] = max(-LARGEST, min(value, LARGEST))
        elif value:
            kept |= _text(name, str(value))
    return kept


def number(event: GateEvent, name: str) -> int:
    """Return a count the gate told, never below zero; zero if it told none."""
    value = event.details.get(name, 0)
    return max(0, min(value, LARGEST)) if isinstance(value, int) and not isinstance(value, bool) else 0


def word(text: object) -> str:
    """Return a text if it is a word, else the beginning of its hash."""
    plain = str(text)
    return plain if WORD.fullmatch(plain) else f"sha256:{_sha256(plain)[:16]}"


def mimes(text: object) -> str:
    """Return the MIME types of a shown text, one or several with commas; nothing that is of another form."""
    return str(text) if MIMES.fullmatch(str(text)) else "text/plain"


def text_of(data: bytes) -> str:
    """Return the characters of a text that came from a workspace; what is no UTF-8 is shown as such."""
    return data.decode("utf-8", "replace")


def _text(name: str, value: str) -> Details:
    return {name: value} if WORD.fullmatch(value) else {f"{name}_sha256": _sha256(value)}


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _event(  # noqa: PLR0913 - the parts of an entry, two of them by name
    action: Action,
    place: Place,
    outcome: Outcome,
    details: Details,
    *,
    reason: str | None = None,
    digest: str | None = None,
) -> Event:
    return Event(
        action=action.value,
        outcome=outcome if place.known or outcome == "failed" else "unknown",
        actor_id=place.account_id or SYSTEM_ID,
        actor_role="none",
        object_kind=place.kind,
        object_id=place.workspace_id,
        object_sha256=digest,
        project=place.project_id,
        reason_code=reason if place.known or outcome == "failed" else "workspace.unknown",
        details=details,
    )
