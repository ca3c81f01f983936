"""An address this person was never seen at, or two at once (R82). Addresses of one VDI pool are one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

AT_ONCE = timedelta(minutes=30)
MOST_SESSIONS = 8


@dataclass
class _Person:
    places: set[str] = field(default_factory=set)
    # The newest line of each session.
    sessions: dict[str, Line] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)


def find(window: Window) -> Iterator[Hit]:
    """Yield each first-seen address of somebody who has another one, and each pair of addresses used at once."""
    people: dict[str, _Person] = {}
    for account, address in window.facts.places:
        people.setdefault(account, _Person()).places.add(address)
    limits = window.limits_of("")
    for line in window.lines:
        if not (line.is_person and line.is_done and line.ip):
            continue
        person = people.setdefault(line.actor, _Person())
        new = person.places and not any(limits.same_place(line.ip, each) for each in person.places)
        if new and line.index >= window.start:
            yield hit(Rule.NEW_PLACE, "first", [line], address=line.ip)
        other = _at_once(person, line, limits)
        if other is not None and line.index >= window.start:
            yield hit(Rule.NEW_PLACE, "two", [other, line], address=line.ip, other=other.ip)
        person.places.add(line.ip)
        person.sessions[line.session] = line
        if len(person.sessions) > MOST_SESSIONS:
            person.sessions = {name: each for name, each in person.sessions.items() if line.at - each.at <= AT_ONCE}


def _at_once(person: _Person, line: Line, limits: Limits) -> Line | None:
    """Return the newest line of another session that went on elsewhere while this session was already there."""
    mine = person.sessions.get(line.session)
    if mine is None or mine.ip != line.ip:
        return None
    for session, other in person.sessions.items():
        pair = (min(session, line.session), max(session, line.session))
        between = mine.index < other.index and line.at - mine.at <= AT_ONCE
        if between and pair not in person.told and not limits.same_place(other.ip, line.ip):
            person.told.add(pair)
            return other
    return None
