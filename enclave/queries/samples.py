"""A sample of a snapshot as pages show it: how it was drawn, how far it is, what it showed. No original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from enclave.model.people import Account
from enclave.model.publication import FrameSample, TextSample
from enclave.states import SampleState

Sampled = TypeVar("Sampled", TextSample, FrameSample)


@dataclass(frozen=True)
class CaseLine:
    """One sampled case in the list: `missed` is None until it was judged."""

    number: int
    stratum: str
    found: int
    missed: int | None


@dataclass(frozen=True)
class Judge:
    """Somebody who judged cases of a sample: login, and of how many theirs is the last word."""

    login: str
    cases: int


@dataclass(frozen=True)
class SampleView:
    """A sample; `population` counts cases by stratum in the whole snapshot, `estimate` is None until it is closed.

    `judges` are who looked at the cases, most of them first; `closed_by` is who closed the review ("" until then).
    """

    state: SampleState
    seed: str
    size: int
    min_recall: float
    confidence: float
    population: Mapping[str, int]
    drawn_at: datetime
    estimate: Mapping[str, Any] | None
    closed_at: datetime | None
    cases: tuple[CaseLine, ...]
    judges: tuple[Judge, ...] = ()
    closed_by: str = ""

    @property
    def judged(self) -> int:
        """How many cases somebody has judged."""
        return sum(case.missed is not None for case in self.cases)

    @property
    def next(self) -> int:
        """The first case nobody has judged, or 1."""
        return next((case.number for case in self.cases if case.missed is None), 1)


def sample_view(session: Session, snapshot_id: str, kind: type[Sampled]) -> SampleView | None:
    """Return a sample of a snapshot, None where its recipe asks for none of that kind."""
    found = session.get(kind, snapshot_id)
    if found is None:
        return None
    lines = (
        CaseLine(each.number, each.stratum, each.found, None if each.missed is None else sum(each.missed.values()))
        for each in found.cases
    )
    return SampleView(
        state=found.state,
        seed=found.seed,
        size=found.size,
        min_recall=found.min_recall,
        confidence=found.confidence,
        population=found.population,
        drawn_at=found.drawn_at,
        estimate=found.estimate,
        closed_at=found.closed_at,
        cases=tuple(lines),
        judges=_judges(session, found),
        closed_by=_login(session, found.closed_by),
    )


def _judges(session: Session, found: Sampled) -> tuple[Judge, ...]:
    counts = Counter(each.judged_by for each in found.cases if each.missed is not None)
    named = [Judge(_login(session, account), cases) for account, cases in counts.items()]
    return tuple(sorted(named, key=lambda each: (-each.cases, each.login)))


def _login(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.login if account else ""
