"""Which limits and which plan of the review count now, and the versions there were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.logreview import ReviewLimits, ReviewPlan
from enclave.model.people import Account
from enclave.model.policy import PolicyText
from enclave.policy.allows import allows
from enclave.policy.logreview import who
from enclave.policy.logreview.cycle import FIRST, Plan
from enclave.policy.logreview.limits import Limits, parse
from enclave.store import Store

HOUSE = ""


@dataclass(frozen=True)
class LimitsView:
    """One version of limits. `scope`: a project, or "" for the house; `active`: whether it counts now."""

    id: str
    scope: str
    number: int
    sha256: str
    limits: Limits
    reason: str
    proposed_by: str
    proposed_at: datetime
    activated_by: str
    activated_at: datetime | None
    active: bool
    may: frozenset[str]


@dataclass(frozen=True)
class PlanView:
    """One version of the plan."""

    number: int
    plan: Plan
    reason: str
    set_by: str
    set_at: datetime


def versions(store: Store, actor: Actor) -> tuple[LimitsView, ...]:
    """Return all versions of all limits, newest first. Reviewers and auditors; raises `Denied`."""
    who.check_may_see(actor)
    with store.read() as session:
        order = (ReviewLimits.scope, ReviewLimits.number.desc())
        rows = list(session.scalars(select(ReviewLimits).order_by(*order)))
        counting = {each.id for each in _active_rows(session).values()}
        return tuple(limits_view(session, each, actor, active=each.id in counting) for each in rows)


def plans(store: Store, actor: Actor) -> tuple[PlanView, ...]:
    """Return all versions of the plan, newest first. Reviewers and auditors; raises `Denied`."""
    who.check_may_see(actor)
    with store.read() as session:
        rows = session.scalars(select(ReviewPlan).order_by(ReviewPlan.number.desc()))
        return tuple(
            PlanView(
                each.number,
                Plan(each.version, each.months, each.sign_days),
                each.reason,
                _login(session, each.set_by),
                each.set_at,
            )
            for each in rows
        )


def current(store: Store) -> tuple[Plan, Limits]:
    """Return the plan and the house's limits that count now."""
    with store.read() as session:
        return plan(session), active(session)[HOUSE]


def active(session: Session) -> dict[str, Limits]:
    """Return the limits that count, by project; the house's under "" (its first version where nobody set any)."""
    return {HOUSE: Limits()} | {scope: read_kept(session, row) for scope, row in _active_rows(session).items()}


def plan(session: Session) -> Plan:
    """Return the plan that counts."""
    row = session.scalar(select(ReviewPlan).order_by(ReviewPlan.number.desc()).limit(1))
    return FIRST if row is None else Plan(row.version, row.months, row.sign_days)


def read_kept(session: Session, row: ReviewLimits) -> Limits:
    """Return the limits of a version. Raises `NotFound` (`limits.forged`) if what is kept is another file."""
    kept = session.get(PolicyText, row.sha256)
    found = parse(kept.text) if kept is not None else None
    if found is None or found.sha256 != row.sha256:
        raise NotFound(
            "limits.forged",
            ko=f"보관된 점검 기준이 판 {row.sha256[:12]}…와(과) 다릅니다.",
            en=f"The limits kept under {row.sha256[:12]}… are others.",
            remedy_ko="운영자와 감사자에게 알리세요.",
            remedy_en="Tell an operator and the auditor.",
        )
    return found


def load_limits(session: Session, limits_id: str) -> ReviewLimits:
    """Return the row, locked; raises `NotFound`."""
    found = session.scalar(select(ReviewLimits).where(ReviewLimits.id == limits_id).with_for_update())
    if found is None:
        raise NotFound(
            "limits.unknown",
            ko=f"그런 점검 기준이 없습니다: {limits_id[:40]!a}",
            en=f"There are no such limits: {limits_id[:40]!a}",
            remedy_ko="목록에서 고르세요.",
            remedy_en="Choose one from the list.",
        )
    return found


def next_number(session: Session, scope: str) -> int:
    """Return the number of the next version of one scope; the house's first is version 1 and has no row."""
    found = session.scalar(select(func.max(ReviewLimits.number)).where(ReviewLimits.scope == scope))
    return (found or int(scope == HOUSE)) + 1


def limits_view(session: Session, found: ReviewLimits, actor: Actor, *, active: bool) -> LimitsView:
    """Return the row as pages show it."""
    done = found.activated_at is not None
    may = allows(who.check_may_activate, actor, found.proposed_by, active=done)
    return LimitsView(
        id=found.id,
        scope=found.scope,
        number=found.number,
        sha256=found.sha256,
        limits=read_kept(session, found),
        reason=found.reason,
        proposed_by=_login(session, found.proposed_by),
        proposed_at=found.proposed_at,
        activated_by=_login(session, found.activated_by),
        activated_at=found.activated_at,
        active=active,
        may=frozenset({"activate"} if may else ()),
    )


def _active_rows(session: Session) -> dict[str, ReviewLimits]:
    query = select(ReviewLimits).where(ReviewLimits.activated_at.is_not(None))
    # The newest activation of each scope is the last one read.
    return {row.scope: row for row in session.scalars(query.order_by(ReviewLimits.activated_at, ReviewLimits.number))}


def _login(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.login if account else ""
