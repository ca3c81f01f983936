"""How the airlock is doing: time to a first word and to a decision, overrides, agreement, causes, what is stuck.

Counts and times only: no name, no login and no text of anybody. The definitions are in docs/reference/metrics.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enclave import workdays
from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.model.egress import OutputFile, RequestRound
from enclave.model.review import Review
from enclave.policy.people import check_is
from enclave.queries import egress
from enclave.queries.measures import Agreement, agreement, percentile, share_of
from enclave.roles import Role
from enclave.states import Decision, FileDecision, FileRole, FileVote, RequestState
from enclave.store import Store

SEES_METRICS = (Role.DATA_STEWARD, Role.OUTPUT_CHECKER, Role.REVIEWER, Role.AUDITOR)
HIGH = 0.95
DECIDED = frozenset({RequestState.APPROVED, RequestState.RETURNED, RequestState.REJECTED})


@dataclass(frozen=True)
class StuckView:
    """One request that does not move: no person in it."""

    id: str
    project_title: str
    state: RequestState
    round: int
    submitted_at: datetime
    due_at: datetime | None


@dataclass(frozen=True)
class RecalledView:
    """One recalled release of which not every receiver has said that their copies are gone: no person in it."""

    id: str
    request_id: str
    recalled_at: datetime | None
    unconfirmed: int
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The airlock between two moments. Times in Korean working days of 24 hours; shares from 0 to 1, None of nothing.

    ``first_median``, ``first_high``: median and 95th percentile of the time from a round's submission to the first
    review of it; ``decided_median``, ``decided_high``: to its end by an approval, a return or a rejection.
    ``waiting``: rounds of the period without any review yet. ``late``: first reviews after the due moment.
    ``approved``, ``overridden``: outputs let through, and those of them with a BLOCK. ``causes``: returns and
    refusals by reason code.
    """

    since: datetime
    until: datetime
    rounds: int
    waiting: int
    first_median: float | None
    first_high: float | None
    decided_median: float | None
    decided_high: float | None
    late: int
    approved: int
    overridden: int
    override_rate: float | None
    agreement: Agreement
    causes: tuple[tuple[str, int], ...]
    stuck: tuple[StuckView, ...]
    recalls: tuple[RecalledView, ...]


def metrics(store: Store, actor: Actor, *, since: datetime, now: datetime) -> Metrics:
    """Return the measures of all rounds submitted from `since` on. For stewards, checkers and overseers.

    Raises `Denied`.
    """
    check_is(actor, *SEES_METRICS)
    with store.read() as session:
        rounds = session.scalars(select(RequestRound).where(RequestRound.submitted_at >= since)).all()
        reviews = session.scalars(
            select(Review)
            .where(Review.decided_at >= since)
            .options(selectinload(Review.votes), selectinload(Review.revisions))
        ).all()
        times = [workdays.between(each.submitted_at, each.first_review_at) for each in rounds if each.first_review_at]
        ends = [
            workdays.between(each.submitted_at, each.ended_at)
            for each in rounds
            if each.ended_at is not None and each.ended_as in DECIDED
        ]
        outputs = _let_through(session, since)
        return Metrics(
            since=since,
            until=now,
            rounds=len(rounds),
            waiting=sum(each.first_review_at is None and each.ended_at is None for each in rounds),
            first_median=percentile(times, 0.5),
            first_high=percentile(times, HIGH),
            decided_median=percentile(ends, 0.5),
            decided_high=percentile(ends, HIGH),
            late=sum(each.first_review_at is not None and each.first_review_at > each.due_at for each in rounds),
            approved=len(outputs),
            overridden=outputs.count(Verdict.BLOCK),
            override_rate=share_of(outputs.count(Verdict.BLOCK), len(outputs)),
            agreement=agreement(list(_pairs(_decided(session, reviews)))),
            causes=_causes(reviews),
            stuck=_stuck(store, actor, now),
            recalls=_recalls(store, actor, now),
        )


def period(text: str, now: datetime) -> datetime:
    """Return when a period of so many days began: 30, 90 or 365; anything else is 90."""
    days = int(text) if text in {"30", "90", "365"} else 90
    return now - timedelta(days=days)


def first_words(review: Review) -> Mapping[str, FileVote]:
    """Return what a review said of each file at first, before anybody's was shown to its author."""
    if not review.revisions:
        return {vote.file_id: vote.vote for vote in review.votes}
    votes = review.revisions[0].content.get("votes", {})
    return {file_id: FileVote(vote) for file_id, vote in votes.items()}


def _decided(session: Session, reviews: Iterable[Review]) -> list[Review]:
    """Return the reviews of rounds that are over: of one under review the numbers would tell what others said blind."""
    ended = select(RequestRound.request_id, RequestRound.round).where(RequestRound.ended_at.is_not(None))
    over = {(each.request_id, each.round) for each in session.execute(ended)}
    return [each for each in reviews if (each.request_id, each.round) in over]


def _pairs(reviews: Iterable[Review]) -> Iterator[tuple[FileVote, FileVote]]:
    by_round: dict[tuple[str, int], list[Review]] = {}
    for review in sorted(reviews, key=_began):
        by_round.setdefault((review.request_id, review.round), []).append(review)
    for together in by_round.values():
        for one, other in combinations(together, 2):
            first, second = first_words(one), first_words(other)
            yield from ((first[file_id], second[file_id]) for file_id in first if file_id in second)


def _began(review: Review) -> tuple[datetime, str]:
    # `decided_at` is when a review was last revised; what it replaced says when it was given first.
    first = review.revisions[0].content.get("decided_at") if review.revisions else None
    return datetime.fromisoformat(first) if first else review.decided_at, review.id


def _causes(reviews: Sequence[Review]) -> tuple[tuple[str, int], ...]:
    sent_back = (each.reason_code for each in reviews if each.decision in {Decision.RETURN, Decision.REJECT})
    return tuple(Counter(sent_back).most_common())


def _let_through(session: Session, since: datetime) -> list[Verdict]:
    query = (
        select(OutputFile.verdict)
        .join(
            RequestRound,
            (RequestRound.request_id == OutputFile.request_id) & (RequestRound.round == OutputFile.round),
        )
        .where(
            RequestRound.submitted_at >= since,
            OutputFile.role == FileRole.OUTPUT,
            OutputFile.outcome == FileDecision.APPROVED,
        )
    )
    return list(session.scalars(query))


def _recalls(store: Store, actor: Actor, now: datetime) -> tuple[RecalledView, ...]:
    found = egress.unconfirmed_recalls(store, actor, now=now)
    return tuple(
        RecalledView(
            each.id,
            each.request_id,
            each.recalled_at,
            sum(receipt.confirmed_at is None for receipt in each.receipts),
            any(receipt.overdue for receipt in each.receipts),
        )
        for each in found
    )


def _stuck(store: Store, actor: Actor, now: datetime) -> tuple[StuckView, ...]:
    return tuple(
        StuckView(each.id, each.project_title, each.state, each.round, each.submitted_at, each.due_at)
        for each in egress.stuck(store, actor, now=now)
    )
