"""Entries whose time of keeping is over: proposed and approved by two reviewers, ordered at the machine (korea.md R77).

Each step looks at the signed entries again: nothing younger than its class asks goes, whatever is configured. The
order is the first of two entries; the sequencer carries it out, and `finish` is the second.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit import purge
from audit.tiles import WIDTH
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent, present, require, text_sha256
from enclave.commands.anchoring import as_refusal
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.retention import LogPurge
from enclave.policy import retention as policy
from enclave.policy.people import check_is
from enclave.queries import retention as queries
from enclave.queries.logreview import load_period
from enclave.queries.retention import PurgeView, load_purge, view
from enclave.queries.review_window import Published
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import PeriodState
from enclave.store import Store, Tx


def propose(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, settings: Settings, actor: Actor, *, period_id: str, reason: str, now: datetime
) -> PurgeView:
    """Propose to purge everything up to the end of a signed period, in whole bundles of 256 entries. Reviewers.

    Raises `Denied`, `NotFound`, `Invalid`, `Conflict` (`log.purge-unsealed`, `log.purge-young`,
    `log.purge-nothing`), `Unavailable`.
    """
    event = intent(Action.LOG_PURGE_PROPOSE, actor, ("period", period_id))
    with store.prepare(event), store.read() as session:
        check_is(present(session, actor, now), Role.REVIEWER)
        period = load_period(session, period_id)
        policy.check_may_propose(
            present(session, actor, now),
            sealed=period.state is PeriodState.SIGNED,
            earlier=queries.unsigned_before(session, period),
        )
        require(("사유", "reason", reason))
        first, end = queries.stretch(session, period)
        _check_over(session, settings, first, end, now)
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        check_is(acting, Role.REVIEWER)
        row = LogPurge(id=new_id("m"), period_id=period_id, first_leaf=first, end_leaf=end, reason=reason)
        row.proposed_by, row.proposed_at = acting.account_id, now
        tx.session.add(row)
        tx.session.flush()
        tx.record(object_id=row.id)
        tx.record(details={**_range(row), "period": period_id, "reason_sha256": text_sha256(reason)})
        return view(row)


def approve(store: Store, settings: Settings, actor: Actor, *, purge_id: str, now: datetime) -> PurgeView:
    """Approve a proposed purge, as another reviewer with a fresh second factor. Raises as `propose`."""
    event = intent(Action.LOG_PURGE_APPROVE, actor, ("purge", purge_id))
    with store.prepare(event), store.read() as session:
        row = load_purge(session, purge_id)
        _check_approver(session, actor, row, now)
        _check_over(session, settings, row.first_leaf, row.end_leaf, now)
    with store.write(event) as tx:
        row = load_purge(tx.session, purge_id, lock=True)
        acting = _check_approver(tx.session, actor, row, now)
        row.approved_by, row.approved_at = acting.account_id, now
        tx.session.flush()
        tx.record(details={**_range(row), "proposed_by": row.proposed_by})
        return view(row)


def order(store: Store, settings: Settings, actor: Actor, *, purge_id: str, now: datetime) -> PurgeView:
    """Order what two reviewers decided, at the machine; the sequencer carries it out once the order is published.

    Raises `Denied` (`log.purge-console`), `NotFound`, `Conflict` (`log.purge-not-waiting`, `log.purge-young`,
    `audit.purge-range`), `Unavailable`.
    """
    event = intent(Action.LOG_PURGE_REQUESTED, actor, ("purge", purge_id))
    with store.prepare(event), store.read() as session:
        row = load_purge(session, purge_id)
        policy.check_may_order(actor, approved=row.approved_at is not None, ordered=row.ordered_at is not None)
        size = _check_over(session, settings, row.first_leaf, row.end_leaf, now)
    with store.write(event) as tx:
        row = load_purge(tx.session, purge_id, lock=True)
        policy.check_may_order(actor, approved=row.approved_at is not None, ordered=row.ordered_at is not None)
        row.ordered_at = now
        tx.record(outcome="allowed", details=_said(row))
        tx.session.flush()
        tx.with_entry(partial(_order, tx, row.end_leaf, size, now))
        return view(row)


def finish(store: Store, settings: Settings, actor: Actor, *, purge_id: str, now: datetime) -> PurgeView:
    """Record that the bytes are gone. The service, after it has looked. Raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.LOG_PURGE_DONE, actor, ("purge", purge_id))) as tx:
        check_system(actor)
        row = load_purge(tx.session, purge_id, lock=True)
        if row.ordered_at is None or row.done_at is not None or not _is_gone(settings, row):
            raise Conflict(
                "log.purge-not-gone",
                ko="지시되지 않았거나 아직 남아 있는 기록입니다.",
                en="These entries are still there, or nobody ordered them to go.",
                remedy_ko="시퀀서가 실행 중인지 확인하세요.",
                remedy_en="See that the sequencer runs.",
            )
        row.done_at = now
        tx.session.flush()
        tx.record(details=_range(row))
        return view(row)


def waiting(store: Store, settings: Settings) -> tuple[str, ...]:
    """Return the ids of purges that were ordered, and whose entries are gone, but which are not recorded as done."""
    with store.read() as session:
        rows = session.scalars(select(LogPurge).where(LogPurge.ordered_at.is_not(None), LogPurge.done_at.is_(None)))
        return tuple(row.id for row in rows if _is_gone(settings, row))


def _order(tx: Tx, end: int, size: int, now: datetime, entry_id: str) -> None:
    with as_refusal():
        purge.order(tx.session.connection(), end, entry_id, size=size, now=now)


def _is_gone(settings: Settings, row: LogPurge) -> bool:
    return Published.of(settings).reader().kept >= row.end_leaf


def _check_approver(session: Session, actor: Actor, row: LogPurge, now: datetime) -> Actor:
    acting = present(session, actor, now)
    decided = row.approved_at is not None
    policy.check_may_approve(acting, proposed_by=row.proposed_by, decided=decided, now=now)
    return acting


def _check_over(session: Session, settings: Settings, first: int, end: int, now: datetime) -> int:
    """Raise unless the time of every signed entry of [first, end) is over; return how many entries are published."""
    log = Published.of(settings).reader()
    if first >= end or end % WIDTH:
        raise Conflict(
            "log.purge-nothing",
            ko="파기할 수 있는 기록 묶음(256건)이 없습니다.",
            en="There is no whole bundle of 256 entries to purge.",
            remedy_ko="더 뒤의 서명된 기간을 고르세요.",
            remedy_en="Choose a later signed period.",
        )
    policy.check_over(queries.lines(log, first, end), queries.keeping(settings), queries.data(session), now)
    return log.size


def _range(row: LogPurge) -> dict[str, str | int | bool]:
    return {"first": row.first_leaf, "end": row.end_leaf}


def _said(row: LogPurge) -> dict[str, str | int | bool]:
    by = {"proposed_by": row.proposed_by, "approved_by": row.approved_by or ""}
    return {**_range(row), "number": row.period.number, **by}
