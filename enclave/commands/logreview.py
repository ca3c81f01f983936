"""The rules of the review, run over the signed log; and a period of it closed at a checkpoint (audit-log.md §8).

Rules look at entries as the published tiles have them, not at the database's. What they find is raised once: a finding
keeps its key while its run of entries grows. A period ends at a checkpoint, and the next one begins there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.event import Event
from audit.paper import sheet
from audit.reader import LogReader
from enclave import reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, text_sha256
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.logreview import ReviewFinding, ReviewPeriod
from enclave.model.people import Account
from enclave.policy.logreview import catalogue, who
from enclave.policy.logreview.hit import Hit
from enclave.policy.logreview.line import UNREADABLE
from enclave.policy.logreview.window import Window
from enclave.policy.people import check_is
from enclave.queries import logreview as queries
from enclave.queries import review_limits, review_window
from enclave.queries.logreview import PeriodView, period_facts, period_view
from enclave.queries.review_window import Published
from enclave.roles import Role
from enclave.states import FindingState, PeriodState
from enclave.store import Store, Tx

BATCH = 500


@dataclass(frozen=True)
class _Found:
    """What the rules said about the log up to one checkpoint, from leaf `start`."""

    log: LogReader
    start: int
    window: Window
    hits: Sequence[Hit]


def inspect(store: Store, place: Published, actor: Actor, *, now: datetime) -> PeriodView:
    """Run the rules over the open period; the first one begins with the log. Reviewers, and the service by itself.

    Raises `Denied`, `Conflict` (closed meanwhile), `Unavailable` (`review.no-log`).
    """
    event = intent(Action.PERIOD_INSPECT, actor, ("period", "open"))
    found = _look(store, place, actor, event, now)
    with store.write(event) as tx:
        acting = _inspector(tx.session, actor, now)
        period = _current(tx.session, found, now)
        new = _raise(tx, period, found, now)
        period.inspected_at = now
        tx.session.flush()
        tx.record(object_id=period.id, details={"number": period.number, "size": found.log.size, "raised": new})
        return period_view(tx.session, period, acting, now)


def close(store: Store, place: Published, actor: Actor, *, now: datetime) -> PeriodView:
    """Close the open period at the newest checkpoint, raise what the rules find in it, and begin the next one.

    Reviewers. Raises `Denied`, `Conflict` (`period.empty`: nothing was recorded), `Unavailable` (`review.no-log`).
    """
    event = intent(Action.PERIOD_CLOSE, actor, ("period", "open"))
    found = _look(store, place, actor, event, now)
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        period = _current(tx.session, found, now)
        who.check_may_close(acting, period_facts(tx.session, period))
        if found.log.size <= period.first_leaf:
            raise _empty()
        new = _raise(tx, period, found, now)
        printed = sheet(found.log.note, place.vkey()).text
        period.state, period.closed_at, period.closed_by = PeriodState.CLOSED, now, acting.account_id
        period.size, period.checkpoint, period.inspected_at = found.log.size, printed, now
        tx.session.flush()
        _begin(tx.session, period.number + 1, found.log.size, now)
        tx.record(
            object_id=period.id,
            object_sha256=found.log.checkpoint.root.hex(),
            details={"number": period.number, "first": period.first_leaf, "size": found.log.size, "raised": new},
        )
        return period_view(tx.session, period, acting, now)


def note_late(store: Store, actor: Actor, *, period_id: str, now: datetime) -> None:
    """Record once that a period is overdue. The service by itself. Raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.PERIOD_LATE, actor, ("period", period_id))) as tx:
        _inspector(tx.session, actor, now)
        found = queries.load_period(tx.session, period_id, lock=True)
        days = queries.late(found, now)
        if not days or found.late_told_at is not None:
            raise Conflict(
                "period.not-late",
                ko="늦지 않았거나 이미 알린 점검입니다.",
                en="It is not late, or was told already.",
                remedy_ko="할 일이 없습니다.",
                remedy_en="There is nothing to do.",
            )
        found.late_told_at = now
        tx.record(details={"number": found.number, "days": days, "plan_sha256": text_sha256(found.plan_version)})


def _look(store: Store, place: Published, actor: Actor, event: Event, now: datetime) -> _Found:
    """Run the rules. Slow, and so outside of the transaction that keeps what they say."""
    with store.prepare(event), store.read() as session:
        _inspector(session, actor, now)
        log = place.reader()
        period = queries.open_period(session)
        start = period.first_leaf if period else 0
        limits = review_limits.active(session)
        window = review_window.load(session, log, start=start, limits=limits, now=now)
        return _Found(log, start, window, catalogue.run(window))


def _inspector(session: Session, actor: Actor, now: datetime) -> Actor:
    acting = present(session, actor, now)
    if not acting.is_system:
        check_is(acting, Role.REVIEWER)
    return acting


def _current(session: Session, found: _Found, now: datetime) -> ReviewPeriod:
    """Return the open period, if it is still the one that was looked at."""
    period = queries.open_period(session, lock=True) or (_first(session, found, now) if _never(session) else None)
    if period is None or period.first_leaf != found.start:
        raise Conflict(
            "period.moved",
            ko="그사이 다른 사람이 기간을 마감했습니다.",
            en="Somebody closed the period meanwhile.",
            remedy_ko="화면을 새로 고쳐 확인하세요.",
            remedy_en="Reload the page.",
        )
    return period


def _never(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(ReviewPeriod)) == 0


def _first(session: Session, found: _Found, now: datetime) -> ReviewPeriod:
    """Begin the first period with the log's first entry, however long ago that was."""
    readable = (each.at for each in found.window.lines if each.action != UNREADABLE)
    return _begin(session, 1, 0, next(readable, now))


def _begin(session: Session, number: int, first_leaf: int, started_at: datetime) -> ReviewPeriod:
    plan = review_limits.plan(session)
    made = ReviewPeriod(
        id=new_id("d"),
        number=number,
        state=PeriodState.OPEN,
        first_leaf=first_leaf,
        plan_version=plan.version,
        months=plan.months,
        sign_days=plan.sign_days,
        started_at=started_at,
        returned_reason="",
    )
    session.add(made)
    session.flush()
    return made


def _raise(tx: Tx, period: ReviewPeriod, found: _Found, now: datetime) -> int:
    """Keep what is new; let a finding that nobody has settled grow with its run. Returns how many are new.

    What goes on after a finding was settled, or its period closed, is a new finding: nobody has judged it.
    """
    known = _known(tx.session, [each.key for each in found.hits])
    # The drill's accounts are nobody's: what they did, an operator explains.
    people = frozenset(tx.session.scalars(select(Account.id).where(Account.login.not_in(reserved.LOGINS))))
    new = 0
    for one in found.hits:
        each, before = _unjudged(tx.session, known, one, period)
        if before is None:
            row = _row(period, each, found.window, people, now)
            tx.session.add(row)
            tx.also(_event(row))
            new += 1
        elif _grows(before, period):
            before.last_leaf, before.count = each.last, each.count
            before.leaves, before.values = list(each.leaves), dict(each.values)
    tx.session.flush()
    return new


def _unjudged(
    session: Session, known: dict[str, ReviewFinding], found: Hit, period: ReviewPeriod
) -> tuple[Hit, ReviewFinding | None]:
    """Return what of an anomaly no settled finding covers, and the finding that has it already, if there is one."""
    before = known.get(found.key)
    while before is not None and not _grows(before, period) and found.last > before.last_leaf:
        found = found.after(before.last_leaf, before.count)
        before = _known(session, [found.key]).get(found.key)
    return found, before


def _grows(finding: ReviewFinding, period: ReviewPeriod) -> bool:
    return finding.state in who.OPEN and finding.period_id == period.id


def _known(session: Session, keys: Sequence[str]) -> dict[str, ReviewFinding]:
    """Return the findings of these keys, of whatever period; a few hundred at a time, as databases bound them."""
    query = select(ReviewFinding)
    found: list[ReviewFinding] = []
    for start in range(0, len(keys), BATCH):
        found += session.scalars(query.where(ReviewFinding.key.in_(keys[start : start + BATCH])))
    return {each.key: each for each in found}


def _row(period: ReviewPeriod, found: Hit, window: Window, people: frozenset[str], now: datetime) -> ReviewFinding:
    return ReviewFinding(
        id=new_id("n"),
        period_id=period.id,
        key=found.key,
        rule=found.rule.value,
        why=found.why,
        project=found.project,
        account_id=found.actor if found.actor in people else None,
        first_leaf=found.first,
        last_leaf=found.last,
        count=found.count,
        leaves=list(found.leaves),
        values=dict(found.values),
        limits_sha256=window.limits_of(found.project).sha256,
        state=FindingState.RAISED,
        raised_at=now,
        reason_code="",
    )


def _event(row: ReviewFinding) -> Event:
    return Event(
        action=Action.FINDING_RAISE.value,
        outcome="done",
        actor_id=Actor.system().account_id,
        actor_role="none",
        object_kind="log_finding",
        object_id=row.id,
        project=row.project or None,
        rule=f"review/{row.rule}@sha256:{row.limits_sha256}",
        details={
            "rule": row.rule,
            "why": row.why,
            "concerns": row.account_id or "operator",
            "first": row.first_leaf,
            "last": row.last_leaf,
            "count": row.count,
        },
    )


def _empty() -> Conflict:
    return Conflict(
        "period.empty",
        ko="이 기간에는 서명된 기록이 없습니다.",
        en="Nothing was recorded and signed in this period.",
        remedy_ko="확인점이 새로 나온 뒤에 마감하세요.",
        remedy_en="Close it after the next checkpoint.",
    )
