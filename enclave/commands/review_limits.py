"""What the review counts as an anomaly, and how often it is done: set by reviewers, each version kept (ADR 18)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.logreview import ReviewLimits, ReviewPlan
from enclave.model.policy import PolicyText
from enclave.policy.logreview import who
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.limits import Limits, parse
from enclave.policy.people import check_is
from enclave.queries import review_limits as queries
from enclave.queries.project import load_project
from enclave.queries.review_limits import LimitsView, limits_view
from enclave.roles import Role
from enclave.store import Store


def set_plan(store: Store, actor: Actor, *, plan: Plan, reason: str, now: datetime) -> None:
    """Say how often the log is reviewed, as the internal plan gives it; counts from the next period on.

    Reviewers, with a second factor of the last 5 minutes. Raises `Denied`, `Invalid` (`input.missing`).
    """
    with store.write(intent(Action.REVIEW_PLAN, actor, ("review_plan", "house"))) as tx:
        acting = present(tx.session, actor, now)
        check_is(acting, Role.REVIEWER)
        who.check_signs(acting, now)
        require(("사유", "reason", reason))
        number = (tx.session.scalar(select(func.max(ReviewPlan.number))) or 0) + 1
        tx.session.add(
            ReviewPlan(
                number=number,
                version=plan.version,
                months=plan.months,
                sign_days=plan.sign_days,
                reason=reason,
                set_by=acting.account_id,
                set_at=now,
            )
        )
        details = {"number": number, "months": plan.months, "sign_days": plan.sign_days}
        tx.record(details={**details, "plan_sha256": text_sha256(plan.version), "reason_sha256": text_sha256(reason)})


def propose(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, scope: str, text: str, reason: str, now: datetime
) -> LimitsView:
    """Propose limits for a project, or ("") the house. They count for nothing until another reviewer activates them.

    Raises `Denied`, `NotFound` (no such project), `Invalid` (`limits.…`, `input.missing`), `Conflict` (the same).
    """
    with store.write(intent(Action.REVIEW_PROPOSE, actor, ("review_limits", scope or "house"))) as tx:
        acting = present(tx.session, actor, now)
        check_is(acting, Role.REVIEWER)
        require(("사유", "reason", reason))
        if scope:
            load_project(tx.session, scope)
        limits = parse(text)
        counting = queries.active(tx.session)
        if limits == counting.get(scope):
            raise _same()
        _keep(tx.session, limits)
        row = ReviewLimits(
            id=new_id("m"),
            scope=scope,
            number=queries.next_number(tx.session, scope),
            sha256=limits.sha256,
            reason=reason,
            proposed_by=acting.account_id,
            proposed_at=now,
        )
        tx.session.add(row)
        tx.session.flush()
        tx.record(
            object_id=row.id,
            object_sha256=row.sha256,
            project=scope or None,
            details={"number": row.number, "reason_sha256": text_sha256(reason)},
        )
        return limits_view(tx.session, row, acting, active=False)


def activate(store: Store, actor: Actor, *, limits_id: str, sha256: str, now: datetime) -> LimitsView:
    """Put proposed limits into force for what is looked at from now on; findings that exist keep theirs.

    `sha256`: the version as the page showed it. A second reviewer with a fresh second factor. Raises `Denied`,
    `NotFound`, `Conflict` (`limits.swapped`, `review-limits.active`).
    """
    with store.write(intent(Action.REVIEW_LIMITS, actor, ("review_limits", limits_id))) as tx:
        row = queries.load_limits(tx.session, limits_id)
        acting = present(tx.session, actor, now)
        who.check_may_activate(acting, row.proposed_by, active=row.activated_at is not None)
        who.check_signs(acting, now)
        if sha256 != row.sha256:
            raise _swapped()
        queries.read_kept(tx.session, row)
        row.activated_by, row.activated_at = acting.account_id, now
        tx.session.flush()
        tx.record(object_sha256=row.sha256, project=row.scope or None, details={"number": row.number})
        return limits_view(tx.session, row, acting, active=True)


def _keep(session: Session, limits: Limits) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"sha256": limits.sha256, "text": limits.canonical()}
    session.execute(insert(PolicyText).values(values).on_conflict_do_nothing())


def _same() -> Conflict:
    return Conflict(
        "limits.same",
        ko="적용 중인 점검 기준과 같은 내용입니다.",
        en="This is what the limits in force say already.",
        remedy_ko="바꿀 항목을 고쳐 다시 제안하세요.",
        remedy_en="Change what is to change, then propose again.",
    )


def _swapped() -> Conflict:
    return Conflict(
        "limits.swapped",
        ko="보고 있던 점검 기준과 다른 판입니다.",
        en="These are other limits than the ones that were shown.",
        remedy_ko="화면을 새로 고쳐 내용을 다시 확인하세요.",
        remedy_en="Reload the page and look at them again.",
    )
