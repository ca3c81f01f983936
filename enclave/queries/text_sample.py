"""The sample of a snapshot's texts as pages show it: how it was drawn, how far it is, what it showed. No text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from enclave.model.people import Account
from enclave.model.publication import TextSample
from enclave.states import SampleState


@dataclass(frozen=True)
class CaseLine:
    """One sampled text in the list: `missed` is None until it was judged."""

    number: int
    stratum: str
    found: int
    missed: int | None


@dataclass(frozen=True)
class Judge:
    """Somebody who judged texts of a sample: login, and of how many theirs is the last word."""

    login: str
    texts: int


@dataclass(frozen=True)
class SampleView:
    """A sample; `population` counts cases by stratum in the whole snapshot, `estimate` is None until it is closed.

    `judges` are who looked at the texts, most of them first; `closed_by` is who closed the review ("" until then).
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
        """How many texts somebody has judged."""
        return sum(case.missed is not None for case in self.cases)

    @property
    def next(self) -> int:
        """The first text nobody has judged, or 1."""
        return next((case.number for case in self.cases if case.missed is None), 1)


def sample_view(session: Session, snapshot_id: str) -> SampleView | None:
    """Return the sample of a snapshot, None where its recipe asks for none."""
    found = session.get(TextSample, snapshot_id)
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


def _judges(session: Session, found: TextSample) -> tuple[Judge, ...]:
    counts = Counter(each.judged_by for each in found.cases if each.missed is not None)
    named = [Judge(_login(session, account), texts) for account, texts in counts.items()]
    return tuple(sorted(named, key=lambda each: (-each.texts, each.login)))


def _login(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.login if account else ""
