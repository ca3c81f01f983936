"""Periods, findings, limits and plan of the log's review, as pages and reports show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import EnclaveError, NotFound
from enclave.model.logreview import ReviewFinding, ReviewPeriod
from enclave.model.people import Account
from enclave.policy.allows import allows
from enclave.policy.logreview import who
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.rules.download_reason import MISSING
from enclave.policy.logreview.who import OPEN, FindingFacts, PeriodFacts
from enclave.policy.logreview.wording import RULES, said
from enclave.roles import Role
from enclave.states import FindingState, PeriodState
from enclave.store import Store


@dataclass(frozen=True)
class Said:
    """What somebody wrote about a finding."""

    part: FindingState
    login: str
    text: str
    made_at: datetime


@dataclass(frozen=True)
class FindingView:
    """One finding. `told`: (Korean, English); `login`: whom it concerns, "" where an operator answers."""

    id: str
    period_id: str
    rule: Rule
    why: str
    name: tuple[str, str]
    told: tuple[str, str]
    project: str
    login: str
    first_leaf: int
    last_leaf: int
    leaves: tuple[int, ...]
    count: int
    limits_sha256: str
    state: FindingState
    raised_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason_code: str
    wants_reason: bool
    texts: tuple[Said, ...]
    may: frozenset[str]


@dataclass(frozen=True)
class PeriodView:
    """One period. `late`: by how many days; `size`: its end (excluded), None while it is open."""

    id: str
    number: int
    state: PeriodState
    first_leaf: int
    size: int | None
    plan: Plan
    started_at: datetime
    inspected_at: datetime | None
    ends_on: date
    due_on: date
    late: int
    closed_at: datetime | None
    checkpoint: str
    reviewer: str
    reviewed_at: datetime | None
    approver: str
    approved_at: datetime | None
    returned_reason: str
    report_sha256: str
    counts: Mapping[FindingState, int]
    blockers: tuple[EnclaveError, ...]
    may: frozenset[str]

    @property
    def open(self) -> int:
        """How many findings are not settled."""
        return sum(self.counts.get(state, 0) for state in OPEN)


@dataclass(frozen=True)
class Due:
    """What the service has to do by itself: run the rules today, and say that these periods are overdue."""

    inspect: bool
    late: tuple[str, ...]


def due(store: Store, *, now: datetime) -> Due:
    """Return what is due at this moment: for the chore."""
    with store.read() as session:
        found = list(session.scalars(select(ReviewPeriod).where(ReviewPeriod.state != PeriodState.SIGNED)))
        current = next((each for each in found if each.state is PeriodState.OPEN), None)
        last = current.inspected_at if current is not None else None
        return Due(
            inspect=last is None or korean_date(last) < korean_date(now),
            late=tuple(each.id for each in found if each.late_told_at is None and late(each, now)),
        )


@dataclass(frozen=True)
class Overdue:
    """A period that should be signed by now: its number, its day, by how many days, when it was last told outside."""

    id: str
    number: int
    due_on: date
    days: int
    notified_at: datetime | None


def overdue(store: Store, *, now: datetime) -> tuple[Overdue, ...]:
    """Return the overdue periods, the oldest first: for the chore and for whoever watches the machine."""
    query = select(ReviewPeriod).where(ReviewPeriod.state != PeriodState.SIGNED).order_by(ReviewPeriod.number)
    with store.read() as session:
        return tuple(
            Overdue(each.id, each.number, plan_of(each).due_on(korean_date(each.started_at)), days, each.notified_at)
            for each in session.scalars(query)
            if (days := late(each, now))
        )


def periods(store: Store, actor: Actor, *, now: datetime) -> tuple[PeriodView, ...]:
    """Return all periods, newest first. Reviewers and auditors; raises `Denied`."""
    who.check_may_see(actor)
    with store.read() as session:
        query = select(ReviewPeriod).order_by(ReviewPeriod.number.desc())
        return tuple(period_view(session, each, actor, now) for each in session.scalars(query))


def period(store: Store, actor: Actor, period_id: str, *, now: datetime) -> tuple[PeriodView, tuple[FindingView, ...]]:
    """Return one period with its findings: unsettled ones first. Raises `Denied`, `NotFound`."""
    who.check_may_see(actor)
    with store.read() as session:
        found = load_period(session, period_id)
        views = [finding_view(session, each, actor) for each in found.findings]
        views.sort(key=lambda view: (view.state not in OPEN, view.first_leaf, view.id))
        return period_view(session, found, actor, now), tuple(views)


def to_explain(store: Store, actor: Actor) -> tuple[FindingView, ...]:
    """Return what the actor was asked to explain, what waits for them first; nothing that was not asked yet."""
    with store.read() as session:
        query = select(ReviewFinding).where(_concerns(actor), ReviewFinding.state != FindingState.RAISED)
        views = [finding_view(session, each, actor) for each in session.scalars(query)]
        return tuple(sorted(views, key=lambda view: (view.state is not FindingState.ASKED, view.raised_at, view.id)))


def waiting(store: Store, actor: Actor, *, now: datetime) -> Mapping[str, int]:
    """Return how much waits for the actor: to `explain`, to `decide`, to `sign`, and how many periods are `late`."""
    with store.read() as session:
        asked = select(func.count()).select_from(ReviewFinding).where(ReviewFinding.state == FindingState.ASKED)
        counts = {"explain": session.scalar(asked.where(_concerns(actor))) or 0}
        if not actor.roles.isdisjoint(who.SEES):
            unsigned = [each for each in session.scalars(select(ReviewPeriod)) if each.state is not PeriodState.SIGNED]
            counts["late"] = sum(late(each, now) > 0 for each in unsigned)
        if Role.REVIEWER in actor.roles:
            todo = ReviewFinding.state.in_((FindingState.RAISED, FindingState.ANSWERED))
            counts["decide"] = session.scalar(select(func.count()).select_from(ReviewFinding).where(todo)) or 0
            counts["sign"] = sum(each.state is PeriodState.REVIEWED for each in unsigned)
        return counts


def load_period(session: Session, period_id: str, *, lock: bool = False) -> ReviewPeriod:
    """Return the row, locked if asked; raises `NotFound`."""
    query = select(ReviewPeriod).where(ReviewPeriod.id == period_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise _unknown(period_id)
    return found


def open_period(session: Session, *, lock: bool = False) -> ReviewPeriod | None:
    """Return the period that goes on, if one has begun."""
    query = select(ReviewPeriod).where(ReviewPeriod.state == PeriodState.OPEN)
    return session.scalar(query.with_for_update() if lock else query)


def load_finding(session: Session, finding_id: str, *, lock: bool = False) -> ReviewFinding:
    """Return the row, locked if asked; raises `NotFound`."""
    query = select(ReviewFinding).where(ReviewFinding.id == finding_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise _unknown(finding_id)
    return found


def late(found: ReviewPeriod, now: datetime) -> int:
    """Return by how many days a period is overdue; 0 once it is signed."""
    if found.state is PeriodState.SIGNED:
        return 0
    return plan_of(found).late(korean_date(found.started_at), korean_date(now))


def plan_of(found: ReviewPeriod) -> Plan:
    """Return the plan under which a period began."""
    return Plan(found.plan_version, found.months, found.sign_days)


def own_open(session: Session, actor: Actor) -> int:
    """Return how many findings about the actor are not settled, in any period."""
    query = select(func.count()).select_from(ReviewFinding).where(ReviewFinding.account_id == actor.account_id)
    return session.scalar(query.where(ReviewFinding.state.in_(OPEN))) or 0


def finding_facts(found: ReviewFinding) -> FindingFacts:
    """Return what policies ask about a finding."""
    return FindingFacts(
        id=found.id,
        state=found.state,
        account=found.account_id or "",
        answered_by=found.answered_by or "",
        lacks_reason=wants_reason(found) and not found.reason_code,
    )


def wants_reason(found: ReviewFinding) -> bool:
    """Return whether it is about a download that the log has no reason for."""
    return (found.rule, found.why) == (Rule.DOWNLOAD_REASON.value, MISSING)


def period_facts(session: Session, found: ReviewPeriod) -> PeriodFacts:
    """Return what policies ask about a period."""
    earlier = select(func.count()).select_from(ReviewPeriod)
    earlier = earlier.where(ReviewPeriod.number < found.number, ReviewPeriod.state != PeriodState.SIGNED)
    return PeriodFacts(
        id=found.id,
        number=found.number,
        state=found.state,
        reviewer=found.reviewer_id or "",
        open=sum(each.state in OPEN for each in found.findings),
        lacking=sum(wants_reason(each) and not each.reason_code for each in found.findings),
        earlier=session.scalar(earlier) or 0,
    )


def finding_view(session: Session, found: ReviewFinding, actor: Actor) -> FindingView:
    """Return the row as pages show it."""
    about, rule = finding_facts(found), Rule(found.rule)
    checks = {
        "ask": who.check_may_ask,
        "answer": who.check_may_answer,
        "accept": who.check_may_accept,
        "escalate": who.check_may_escalate,
    }
    return FindingView(
        id=found.id,
        period_id=found.period_id,
        rule=rule,
        why=found.why,
        name=RULES[rule],
        told=said(rule, found.why, found.count, _spoken(session, found.values)),
        project=found.project,
        login=_login(session, found.account_id),
        first_leaf=found.first_leaf,
        last_leaf=found.last_leaf,
        leaves=tuple(found.leaves),
        count=found.count,
        limits_sha256=found.limits_sha256,
        state=found.state,
        raised_at=found.raised_at,
        decided_by=_login(session, found.decided_by),
        decided_at=found.decided_at,
        reason_code=found.reason_code,
        wants_reason=wants_reason(found),
        texts=tuple(Said(each.part, _login(session, each.author_id), each.text, each.made_at) for each in found.texts),
        may=frozenset(name for name, check in checks.items() if allows(check, actor, about)),
    )


def period_view(session: Session, found: ReviewPeriod, actor: Actor, now: datetime) -> PeriodView:
    """Return the row as pages show it."""
    about, own, plan = period_facts(session, found), own_open(session, actor), plan_of(found)
    may = {
        "close": allows(who.check_may_close, actor, about),
        "review": allows(who.check_may_review, actor, about, own),
        "approve": allows(who.check_may_approve, actor, about, own),
        "return": allows(who.check_may_return, actor, about),
    }
    started = korean_date(found.started_at)
    return PeriodView(
        id=found.id,
        number=found.number,
        state=found.state,
        first_leaf=found.first_leaf,
        size=found.size,
        plan=plan,
        started_at=found.started_at,
        inspected_at=found.inspected_at,
        ends_on=plan.ends_on(started),
        due_on=plan.due_on(started),
        late=late(found, now),
        closed_at=found.closed_at,
        checkpoint=found.checkpoint or "",
        reviewer=_login(session, found.reviewer_id),
        reviewed_at=found.reviewed_at,
        approver=_login(session, found.approver_id),
        approved_at=found.approved_at,
        returned_reason=found.returned_reason,
        report_sha256=found.report_sha256 or "",
        counts=Counter(each.state for each in found.findings),
        blockers=who.blockers(about),
        may=frozenset(name for name, yes in may.items() if yes),
    )


def _concerns(actor: Actor) -> ColumnElement[bool]:
    mine = ReviewFinding.account_id == actor.account_id
    return mine | ReviewFinding.account_id.is_(None) if Role.OPERATOR in actor.roles else mine


def _spoken(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a finding with logins in place of account ids."""
    names = {"account", "other"}
    return {name: (_login(session, value) or value) if name in names else value for name, value in values.items()}


def _login(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.login if account else ""


def _unknown(thing: str) -> NotFound:
    return NotFound(
        "review.unknown",
        ko=f"그런 점검 기간이나 이상징후가 없습니다: {thing[:40]!a}",
        en=f"There is no such period or finding: {thing[:40]!a}",
        remedy_ko="목록에서 고르세요.",
        remedy_en="Choose one from the list.",
    )
