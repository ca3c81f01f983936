"""What a rule says it found: about whom, in which entries, with which numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from enclave.policy.logreview.line import Line, Value

# How many leaf numbers a finding carries; the rest is in its count.
MOST_LEAVES = 50


class Rule(StrEnum):
    """The eleven rules (audit-log.md §8; korea.md R82, R83)."""

    OFF_HOURS = "off-hours"
    BULK_READ = "bulk-read"
    EXPORT_BURST = "export-burst"
    PROBING = "probing"
    DORMANT = "dormant"
    NEW_PLACE = "new-place"
    DENIED_RUN = "denied-run"
    PRIVILEGE = "privilege"
    TWO_PERSON = "two-person"
    LOG_HEALTH = "log-health"
    DOWNLOAD_REASON = "download-reason"


@dataclass(frozen=True)
class Hit:
    """One anomaly. `actor`: the account whose word is asked, "" where an operator answers (log, console, system).

    `why` names the case within the rule (`enclave.policy.logreview.wording`), `values` what its sentence says;
    `first` and `last` are leaf numbers, `leaves` at most `MOST_LEAVES` of the `count` entries; `about` tells apart what
    begins with the same entry (the other of a pair).
    """

    rule: Rule
    why: str
    actor: str
    project: str
    first: int
    last: int
    count: int
    leaves: tuple[int, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    about: str = ""

    @property
    def key(self) -> str:
        """The same for the same anomaly, however far the window has grown: rule, case, whose, where it began."""
        name = "\n".join((self.rule, self.why, self.actor, self.project, str(self.first), self.about))
        return sha256(name.encode()).hexdigest()

    def after(self, leaf: int, count: int) -> Hit:
        """Return what of the same anomaly comes after leaf `leaf`, up to which `count` entries were judged already."""
        left = tuple(each for each in self.leaves if each > leaf)
        first, about = left[0] if left else leaf + 1, f"{self.about} {self.first}>{leaf}"
        return replace(self, first=first, leaves=left or (self.last,), count=max(self.count - count, 1), about=about)


def hit(
    rule: Rule, why: str, lines: Sequence[Line], *, actor: str | None = None, about: str = "", **values: Value
) -> Hit:
    """Return the hit that these lines make together; the person and the project are the first line's."""
    first = lines[0]
    who = (first.actor if first.is_person else "") if actor is None else actor
    leaves = tuple(each.index for each in lines[:MOST_LEAVES])
    return Hit(rule, why, who, first.project, first.index, lines[-1].index, len(lines), leaves, values, about)
