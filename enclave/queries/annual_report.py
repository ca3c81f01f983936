"""A year of the enclave in numbers, for the yearly report of the managing body (korea.md R122): from the signed log.

What the daily attack drill's own accounts do and are refused is nobody's work: only the number of all entries has it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from audit.tables import audit_index
from enclave import reserved
from enclave.actions import Action
from enclave.clock import KST, korean_date
from enclave.model.logreview import ReviewPeriod
from enclave.model.people import Account
from enclave.model.project import Project, ProjectColumn
from enclave.policy.logreview.line import DONE, NO_PERSON
from enclave.queries.logreview import plan_of
from enclave.queries.review_report import moment
from enclave.states import FindingState

FORMAT = "ansim-annual-report-1"
# (Korean, English), the actions whose successes are counted. Everything a managing body is asked for, in its order.
MEASURES: tuple[tuple[tuple[str, str], frozenset[Action]], ...] = (
    (("로그인", "sign-ins"), frozenset({Action.ACCOUNT_LOG_IN})),
    (("새 계정", "accounts created"), frozenset({Action.ACCOUNT_CREATE})),
    (("종료된 계정", "accounts ended"), frozenset({Action.ACCOUNT_END})),
    (("권한 부여", "roles granted"), frozenset({Action.ROLE_GRANT})),
    (("권한 회수", "roles revoked"), frozenset({Action.ROLE_REVOKE})),
    (("공개한 데이터", "snapshots published"), frozenset({Action.SNAPSHOT_PUBLISH})),
    (("철회한 데이터", "snapshots withdrawn"), frozenset({Action.SNAPSHOT_WITHDRAW, Action.SNAPSHOT_RECALL})),
    (("시작한 과제", "projects opened"), frozenset({Action.PROJECT_ACTIVATE})),
    (("끝난 과제", "projects ended"), frozenset({Action.PROJECT_END})),
    (("작업공간 이용", "workspaces started"), frozenset({Action.WORKSPACE_STARTED})),
    (("반입 신청", "imports requested"), frozenset({Action.IMPORT_SUBMIT})),
    (("반입 완료", "imports laid out"), frozenset({Action.IMPORT_DONE})),
    (("반출 신청", "egress requested"), frozenset({Action.EGRESS_SUBMIT})),
    (("반출 보완 요청", "egress returned"), frozenset({Action.EGRESS_RETURN})),
    (("반출 반려", "egress rejected"), frozenset({Action.EGRESS_REJECT})),
    (("반출 승인", "egress approved"), frozenset({Action.RELEASE_REQUESTED})),
    (("반출물 전달", "releases handed over"), frozenset({Action.RELEASE_HAND_OVER})),
    (("반출물 회수", "releases recalled"), frozenset({Action.RELEASE_RECALL})),
    (("동결", "freezes"), frozenset({Action.WORKSPACE_FREEZE, Action.PROJECT_FREEZE})),
    (("화면의 식별정보", "identifiers on screens"), frozenset({Action.DISPLAY_FINDING})),
    (("사고 접수", "incidents opened"), frozenset({Action.INCIDENT_OPEN})),
    (("사고 신고", "incidents reported"), frozenset({Action.INCIDENT_FILE})),
    (("파기", "destructions"), frozenset({Action.DESTRUCTION_DONE})),
    (("모의침투", "drills"), frozenset({Action.DRILL_DONE})),
    (("뚫린 방벽", "barriers broken"), frozenset({Action.DRILL_BROKEN})),
)
MONTHS = 12


def annual(session: Session, year: int, today: date) -> dict[str, Any]:
    """Return the report's data of one Korean calendar year: plain values, months in order.

    `today`: the Korean day on which it is made; a year that is not over is told up to it.
    """
    ours = _not_of_drill(session)
    months = [_month(session, year, number, ours) for number in range(1, MONTHS + 1)]
    rows = [[*words, *(sum(month[each.value] for each in actions) for month in months)] for words, actions in MEASURES]
    denied = [month["denied"] for month in months]
    total = [month["all"] for month in months]
    start, end = month_start(year, 1), month_start(year + 1, 1)
    return {
        "format": FORMAT,
        "year": year,
        "until": min(date(year, 12, 31), today).isoformat(),
        "people": _people(session, start, end, ours),
        "measures": [
            *rows,
            ["거부", "denied", *denied],
            ["전체 접속기록", "all entries", *total],
        ],
        "datasets": _datasets(session, start, end),
        "reviews": _reviews(session, start, end, today),
    }


def month_start(year: int, month: int) -> datetime:
    """Return the moment at which a Korean month begins, in UTC."""
    return datetime.combine(date(year, month, 1), datetime.min.time(), KST).astimezone(UTC)


def _not_of_drill(session: Session) -> ColumnElement[bool]:
    column = audit_index.c
    accounts = session.scalars(select(Account.id).where(Account.login.in_(reserved.LOGINS))).all()
    return and_(column.project != reserved.PROJECT, column.actor.not_in(accounts))


def _month(session: Session, year: int, month: int, ours: ColumnElement[bool]) -> Counter[str]:
    """Return the successes of each action, and `denied` and `all` entries, of one Korean month.

    Where `ours` is false an entry counts among `all` only.
    """
    column = audit_index.c
    start = month_start(year, month)
    end = month_start(year + month // MONTHS, month % MONTHS + 1)
    found: Counter[str] = Counter()
    kinds = (column.action, column.outcome, ours.label("ours"))
    query = select(*kinds, func.count()).where(column.at >= _stamp(start), column.at < _stamp(end))
    for action, outcome, counted, count in session.execute(query.group_by(column.action, column.outcome, "ours")):
        found["all"] += count
        if not counted:
            continue
        found["denied"] += count if outcome == "denied" else 0
        found[action] += count if outcome in DONE else 0
    return found


def _people(session: Session, start: datetime, end: datetime, ours: ColumnElement[bool]) -> int:
    column = audit_index.c
    query = select(column.actor).where(
        column.at >= _stamp(start), column.at < _stamp(end), column.outcome.in_(DONE), ours
    )
    return len(set(session.scalars(query.distinct())) - NO_PERSON)


def _datasets(session: Session, start: datetime, end: datetime) -> list[list[Any]]:
    """Return [data set, how many projects used it] of the projects that went on in the year."""
    query = (
        select(ProjectColumn.dataset_id, func.count(func.distinct(Project.id)))
        .join(Project, Project.id == ProjectColumn.project_id)
        .where(Project.activated_at < end, Project.ended_at.is_(None) | (Project.ended_at >= start))
        .group_by(ProjectColumn.dataset_id)
    )
    return sorted([name, count] for name, count in session.execute(query))


def _reviews(session: Session, start: datetime, end: datetime, today: date) -> list[list[Any]]:
    """Return [number, from, to, findings, accepted, escalated, signed, days late] of the periods closed in the year.

    As it stood when the year was over, or stands today: what was decided or signed afterwards is of the next one.
    """
    query = select(ReviewPeriod).where(ReviewPeriod.closed_at >= start, ReviewPeriod.closed_at < end)
    lines = []
    for each in session.scalars(query.order_by(ReviewPeriod.number)):
        states = Counter(found.state for found in each.findings if found.decided_at is None or found.decided_at < end)
        signed = each.approved_at if each.approved_at is not None and each.approved_at < end else None
        last = korean_date(signed) if signed else min(korean_date(end - timedelta(microseconds=1)), today)
        lines.append(
            [
                each.number,
                moment(each.started_at),
                moment(each.closed_at) if each.closed_at else "",
                len(each.findings),
                states[FindingState.ACCEPTED],
                states[FindingState.ESCALATED],
                moment(signed) if signed else "",
                plan_of(each).late(korean_date(each.started_at), last),
            ]
        )
    return lines


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
