"""Who held which right at a moment, since when, by whose word, and whether they use it (korea.md R14).

Made from grants, which are kept after their end, and from the signed log's sign-ins: for a past moment it says the same
whenever it is made.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from audit.tables import audit_index
from enclave import reserved
from enclave.actions import Action
from enclave.clock import KST, korean_date
from enclave.model.people import Account, AccountRole
from enclave.policy.logreview.line import DONE
from enclave.queries.review_report import moment
from enclave.roles import LABELS

FORMAT = "ansim-rights-report-1"
UNUSED = timedelta(days=90)
CHANGES = timedelta(days=90)


def end_of(day: date) -> datetime:
    """Return the moment at which a Korean day is over, in UTC."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), KST).astimezone(UTC)


def rights(session: Session, day: date) -> dict[str, Any]:
    """Return the report's data as of the end of a Korean day: plain values, sorted."""
    at, query = end_of(day), select(Account).options(selectinload(Account.grants))
    people = list(session.scalars(query.where(Account.login.not_in(reserved.LOGINS)).order_by(Account.login)))
    names = {each.id: each.login for each in people}
    used = _logins(session, at)
    held = [_held(each, grant, names, used, at) for each in people for grant in each.grants if _holds(each, grant, at)]
    changes = [line for each in people for grant in each.grants for line in _changes(each, grant, names, at)]
    return {
        "format": FORMAT,
        "day": day.isoformat(),
        "held": sorted(held),
        "unused_days": UNUSED.days,
        "unused": sorted(line for line in held if line[-1] >= UNUSED.days),
        "changes": sorted(changes),
    }


def _holds(account: Account, grant: AccountRole, at: datetime) -> bool:
    last = korean_date(at - timedelta(microseconds=1))
    gone = (account.ended_at is not None and account.ended_at < at) or (grant.revoked_at and grant.revoked_at < at)
    over = any(day is not None and day < last for day in (account.ends_on, grant.ends_on))
    return grant.granted_at < at and not gone and not over


def _held(
    account: Account, grant: AccountRole, names: dict[str, str], used: dict[str, datetime], at: datetime
) -> list[Any]:
    """Return [login, name, organisation, role, since, until, granted by, why, last sign-in, days without one]."""
    last = used.get(account.id)
    idle = at - max(filter(None, (last, grant.granted_at)))
    return [
        account.login,
        account.name,
        account.organisation_id,
        LABELS[grant.role][0],
        moment(grant.granted_at),
        grant.ends_on.isoformat() if grant.ends_on else "",
        names.get(grant.granted_by, grant.granted_by),
        grant.reason,
        moment(last) if last else "",
        idle.days,
    ]


def _changes(account: Account, grant: AccountRole, names: dict[str, str], at: datetime) -> list[list[str]]:
    """Return [when, login, role, `granted` or `revoked`, by whom, why] of the last 90 days."""
    role = LABELS[grant.role][0]
    told = [(grant.granted_at, "granted", grant.granted_by, grant.reason)]
    if grant.revoked_at is not None:
        told.append((grant.revoked_at, "revoked", grant.revoked_by or "", grant.revoke_reason or ""))
    return [
        [moment(when), account.login, role, what, names.get(who, who), why]
        for when, what, who, why in told
        if at - CHANGES <= when < at
    ]


def _logins(session: Session, at: datetime) -> dict[str, datetime]:
    column = audit_index.c
    query = (
        select(column.actor, func.max(column.at))
        .where(
            column.action == Action.ACCOUNT_LOG_IN.value,
            column.outcome.in_(DONE),
            column.at < at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        .group_by(column.actor)
    )
    return {
        actor: datetime.strptime(when, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        for actor, when in session.execute(query)
    }
