"""How many reviewers a request needs: a pure function of what our own checker says of its files (korea.md R48, R66).

One for aggregates that pass every check and whose every number we computed ourselves; two for warnings, pictures, code
and whatever was not recomputed; a committee for what is blocked (an override), for weights and for receivers abroad.
Nobody who asks can say the number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enclave.airlock.report import Verdict
from enclave.states import FileRole

SMALLEST_COMMITTEE, LARGEST_COMMITTEE = 3, 7


class Reason(StrEnum):
    """Why a file needs more than one reviewer."""

    OVERRIDE = "override"
    WEIGHTS = "weights"
    OVERSEAS = "overseas"
    WARNING = "warning"
    PICTURE = "picture"
    CODE = "code"
    NOT_RECOMPUTED = "not-recomputed"


COMMITTEE = frozenset({Reason.OVERRIDE, Reason.WEIGHTS, Reason.OVERSEAS})


@dataclass(frozen=True, kw_only=True)
class ReviewerRules:
    """A provider's rules for reviewers. Raises `ValueError` for rules that are weaker than the house's floor.

    On the way out weights are of no kind that the checker takes: they come as an override, which is a committee's, too.

    `recomputed`: for tables that pass and were recomputed. `standard`: for all others. `committee`: for overrides,
    weights and receivers abroad, an odd number. The kinds are those of `FileReport.kind`. `working_days`: the time
    for a decision; `escalate_at`: the share of it after which somebody is told.
    """

    recomputed: int = 1
    standard: int = 2
    committee: int = 3
    aggregate_kinds: tuple[str, ...] = ("table",)
    weight_kinds: tuple[str, ...] = ("weights", "model")
    working_days: float = 5
    escalate_at: float = 0.8

    def __post_init__(self) -> None:
        if not 1 <= self.recomputed <= self.standard <= self.committee:
            raise ValueError("1 ≤ recomputed ≤ standard ≤ committee")
        if self.standard < 2:  # noqa: PLR2004 - two people, two organisations
            raise ValueError("standard is at least 2")
        if self.committee not in range(SMALLEST_COMMITTEE, LARGEST_COMMITTEE + 1, 2):
            raise ValueError("committee is 3, 5 or 7")
        if not 0 < self.working_days <= 30 or not 0 < self.escalate_at <= 1:  # noqa: PLR2004 - a month
            raise ValueError("working_days is at most 30 and escalate_at a share of it")


@dataclass(frozen=True)
class FileFacts:
    """What the number depends on. `recomputed`: our own computation from the snapshot gave every number.

    `passed`: whether the decision on its round let it through. `told_at`: when something was last found out about it.
    """

    id: str
    role: FileRole
    kind: str
    verdict: Verdict
    group_id: str = ""
    recomputed: bool = False
    passed: bool = False
    told_at: datetime | None = None


@dataclass(frozen=True)
class Need:
    """How many reviewers, all of different organisations, and why."""

    reviewers: int
    reasons: tuple[Reason, ...]

    @property
    def committee(self) -> bool:
        """Whether they are a committee, each of whom gives its reason in words."""
        return not COMMITTEE.isdisjoint(self.reasons)


def needed(files: Iterable[FileFacts], rules: ReviewerRules, *, overseas: bool = False, incoming: bool = False) -> Need:
    """Return what all these files together need: what the riskiest output needs; supporting files weigh nothing.

    `incoming`: they come in. Weights then remember nobody of ours, and need no committee.
    """
    files = tuple(files)
    reasons = {reason for file in files for reason in _reasons(file, rules)}
    if incoming:
        reasons.discard(Reason.WEIGHTS)
    if any(file.role is FileRole.CODE for file in files):
        reasons.add(Reason.CODE)
    if overseas:
        reasons.add(Reason.OVERSEAS)
    if not COMMITTEE.isdisjoint(reasons):
        number = rules.committee
    else:
        number = rules.standard if reasons or not files else rules.recomputed
    return Need(number, tuple(reason for reason in Reason if reason in reasons))


def _reasons(file: FileFacts, rules: ReviewerRules) -> set[Reason]:
    if file.role is not FileRole.OUTPUT:
        return set()
    found = set()
    if file.verdict is Verdict.BLOCK:
        found.add(Reason.OVERRIDE)
    if file.kind in rules.weight_kinds:
        found.add(Reason.WEIGHTS)
    if file.verdict is Verdict.WARN:
        found.add(Reason.WARNING)
    if file.kind == "picture":
        found.add(Reason.PICTURE)
    if file.kind not in rules.aggregate_kinds or not file.recomputed:
        found.add(Reason.NOT_RECOMPUTED)
    return found
