"""What the reports of the review are made from: counts of the signed log and what was decided. Plain values, sorted.

Only what lies before the period's checkpoint, or before a stated moment, so that a report can be made again at any time
with the same content.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from audit.tables import audit_index
from enclave import reserved
from enclave.actions import ABOUT, Action, Task
from enclave.actor import CONSOLE_ID, SYSTEM_ID, Actor
from enclave.clock import KST
from enclave.errors import Conflict
from enclave.model.logreview import ReviewFinding, ReviewLimits, ReviewPeriod
from enclave.model.people import Account
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import DONE
from enclave.policy.logreview.wording import RULES
from enclave.queries.logreview import finding_view, plan_of
from enclave.states import FindingState

MONTHLY = "ansim-review-report-1"
ACTIONS = {action.value: action for action in Action}
# What counts as touching data in the table of accounts.
DATA_TASKS = frozenset({Task.VIEW, Task.EGRESS, Task.DOWNLOAD})


def monthly(session: Session, period: ReviewPeriod) -> dict[str, Any]:
    """Return what the report of a closed period says. Raises `Conflict` (`period.not-closed`)."""
    if period.size is None or period.closed_at is None:
        raise Conflict(
            "period.not-closed",
            ko="아직 마감하지 않은 점검 기간입니다.",
            en="This period is not closed yet.",
            remedy_ko="먼저 기간을 마감하세요.",
            remedy_en="Close it first.",
        )
    plan, column = plan_of(period), audit_index.c
    inside = (column.leaf_index >= period.first_leaf, column.leaf_index < period.size)
    started = period.started_at.astimezone(KST).date()
    return {
        "format": MONTHLY,
        "period": {
            "number": period.number,
            "first_leaf": period.first_leaf,
            "size": period.size,
            "started_at": moment(period.started_at),
            "closed_at": moment(period.closed_at),
            "ends_on": plan.ends_on(started).isoformat(),
            "due_on": plan.due_on(started).isoformat(),
        },
        "plan": {"version": plan.version, "months": plan.months, "sign_days": plan.sign_days},
        "checkpoint": period.checkpoint or "",
        "tasks": tasks(session, inside),
        "accounts": accounts(session, inside),
        "rules": _rules(period.findings),
        "findings": [_finding(session, each) for each in period.findings],
        "limits": _limits(session, period),
    }


def moment(at: datetime) -> str:
    """Return a moment as reports write it: `2026-11-24 12:00:00`, Korean time."""
    return at.astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")


def tasks(session: Session, where: Sequence[ColumnElement[bool]]) -> list[list[Any]]:
    """Return [수행업무, let through, denied, failed] for each task, in the order of the notice, and the log's own."""
    column = audit_index.c
    rows = session.execute(
        select(column.action, column.outcome, func.count()).where(*where).group_by(column.action, column.outcome)
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for action, outcome, count in rows:
        known = ACTIONS.get(action)
        name = ABOUT[known].task.value if known else "기록 자체"
        found[name]["done" if outcome in DONE else "denied" if outcome == "denied" else "failed"] += count
    order = [*(task.value for task in Task), "기록 자체"]
    return [[name, *(found[name][each] for each in ("done", "denied", "failed"))] for name in order if name in found]


def accounts(session: Session, where: Sequence[ColumnElement[bool]]) -> list[list[Any]]:
    """Return [login, organisation, sign-ins, acts on data, downloads, denials] of each account that did something."""
    column = audit_index.c
    rows = session.execute(
        select(column.actor, column.action, column.outcome, func.count())
        .where(*where, column.actor.not_in((SYSTEM_ID, CONSOLE_ID, "sequencer")))
        .group_by(column.actor, column.action, column.outcome)
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for actor, action, outcome, count in rows:
        found[actor][_kind(action, outcome)] += count
    people = {each.id: each for each in session.scalars(select(Account).where(Account.login.not_in(reserved.LOGINS)))}
    names = ("login", "data", "download", "denied")
    lines = [
        [people[actor].login, people[actor].organisation_id, *(counts[name] for name in names)]
        for actor, counts in found.items()
        if actor in people
    ]
    return sorted(lines)


def _kind(action: str, outcome: str) -> str:
    known = ACTIONS.get(action)
    if outcome == "denied" or known is None:
        return "denied" if outcome == "denied" else "other"
    if known is Action.ACCOUNT_LOG_IN:
        return "login"
    task = ABOUT[known].task
    return "download" if task is Task.DOWNLOAD else "data" if task in DATA_TASKS else "other"


def _rules(findings: Sequence[ReviewFinding]) -> list[list[Any]]:
    """Return [rule, Korean, English, raised, accepted, escalated, open] for all rules: none found is said too."""
    lines: list[list[Any]] = []
    for rule in Rule:
        states = Counter(each.state for each in findings if each.rule == rule.value)
        settled = states[FindingState.ACCEPTED], states[FindingState.ESCALATED]
        lines.append([rule.value, *RULES[rule], states.total(), *settled, states.total() - sum(settled)])
    return lines


def _finding(session: Session, found: ReviewFinding) -> dict[str, Any]:
    view = finding_view(session, found, Actor.system())
    return {
        "id": view.id,
        "rule": view.rule.value,
        "name": list(view.name),
        "told": list(view.told),
        "project": view.project,
        "login": view.login,
        "first_leaf": view.first_leaf,
        "last_leaf": view.last_leaf,
        "count": view.count,
        "limits": view.limits_sha256,
        "state": view.state.value,
        "reason_code": view.reason_code,
        "texts": [[each.part.value, each.login, moment(each.made_at), each.text] for each in view.texts],
    }


def _limits(session: Session, period: ReviewPeriod) -> list[list[str]]:
    """Return [scope, SHA-256] of all limits in force at any time of the period, and of those its findings name.

    Limits that were loosened for an hour find nothing: only here they are seen.
    """
    end = period.closed_at or period.started_at
    # As it stood when the period was closed: later versions are not for this report to say.
    rows = [row for row in session.scalars(select(ReviewLimits)) if row.activated_at and row.activated_at <= end]
    own = {(row.scope, row.sha256) for row in rows}
    used = {(each.project, each.limits_sha256) for each in period.findings}
    named = {(scope if (scope, name) in own else "", name) for scope, name in used}
    return [list(each) for each in sorted(named | _in_force(rows, period))]


def _in_force(rows: Sequence[ReviewLimits], period: ReviewPeriod) -> set[tuple[str, str]]:
    """Return (scope, SHA-256) of what was in force between the period's beginning and its closing."""
    found: set[tuple[str, str]] = set()
    for scope in {"", *(row.scope for row in rows)}:
        active = sorted((row.activated_at, row.sha256) for row in rows if row.scope == scope and row.activated_at)
        before = [name for at, name in active if at <= period.started_at]
        first = before[-1:] or ([Limits().sha256] if not scope else [])
        found |= {(scope, name) for name in (*first, *(name for at, name in active if period.started_at < at))}
    return found
