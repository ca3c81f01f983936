"""The signed log as the review's rules need it: entries from the published tiles, facts from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.errors import AuditError
from audit.note import VerifierKey
from audit.reader import LogReader
from audit.tables import audit_index
from enclave.actions import Action
from enclave.clock import korean_date
from enclave.errors import Unavailable
from enclave.model.egress import AirlockRequest
from enclave.model.people import Account
from enclave.model.project import Project, ProjectMember
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import DONE, NO_PERSON, YEARS, read
from enclave.policy.logreview.window import Facts, Leaver, Window
from enclave.queries.people import roles_now
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import ProjectState

# As long as any rule looks back.
HISTORY = timedelta(days=30)
STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
LOOK_BACK = 1_000
USERS = frozenset({Role.SCIENTIST, Role.PROJECT_LEAD})


@dataclass(frozen=True)
class Published:
    """Where the signed log lies, and the line of the key that signs it."""

    folder: Path
    key: Path

    @classmethod
    def of(cls, settings: Settings) -> Published:
        """Return the log of this installation."""
        return cls(settings.log, settings.keys / "log.pub")

    def vkey(self) -> VerifierKey:
        """Return the key that the log is verified with. Raises `Unavailable` (`review.no-log`)."""
        try:
            return VerifierKey.parse(self.key.read_text(encoding="utf-8").strip())
        except (AuditError, OSError) as error:
            raise _no_log() from error

    def reader(self) -> LogReader:
        """Return the log as its newest checkpoint says. Raises `Unavailable` (`review.no-log`): no, or not signed."""
        try:
            return LogReader(self.folder, self.vkey())
        except (AuditError, OSError) as error:
            raise _no_log() from error


def load(session: Session, log: LogReader, *, start: int, limits: dict[str, Limits], now: datetime) -> Window:
    """Return the window of the leaves from `start` up to the checkpoint, with 30 days of history before them."""
    first = _history(session, start)
    lines = [read(index, data) for index, data in log.entries(first)]
    return Window(lines, start, limits, _facts(session, first, now))


def _history(session: Session, start: int) -> int:
    """Return the first leaf of the 30 days before leaf `start`."""
    column = audit_index.c
    # What somebody wrote past the outbox may say no time at all: the newest before it that does counts.
    begun = session.scalars(
        select(column.at).where(column.leaf_index <= start).order_by(column.leaf_index.desc()).limit(LOOK_BACK)
    )
    at = next((found for text in begun if (found := moment(text)) is not None), None)
    if at is None:
        return start
    since = (at - HISTORY).strftime(STAMP)
    found = session.scalar(select(func.min(column.leaf_index)).where(column.at >= since, column.leaf_index < start))
    return start if found is None else int(found)


def moment(text: str) -> datetime | None:
    """Return the time that an entry says; None where it says none."""
    try:
        found = datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if YEARS[0] <= found.year < YEARS[1] else None


def _facts(session: Session, first: int, now: datetime) -> Facts:
    column = audit_index.c
    before = (column.leaf_index < first, column.outcome.in_(DONE))
    places = select(column.actor, column.from_ip).where(*before, column.from_ip != "").distinct()
    logins = (
        select(column.actor, func.max(column.at))
        .where(*before, column.action == Action.ACCOUNT_LOG_IN.value, column.at < f"{YEARS[1]}")
        .group_by(column.actor)
    )
    asked = select(AirlockRequest.id, AirlockRequest.requester_id)
    checkers = len([each for each in session.scalars(select(Account)) if Role.OUTPUT_CHECKER in roles_now(each, now)])
    return Facts(
        places=frozenset((actor, ip) for actor, ip in session.execute(places) if actor not in NO_PERSON),
        logins={actor: found for actor, at in session.execute(logins) if (found := moment(at)) is not None},
        authors={each.id: each.requester_id for each in session.execute(asked)},
        checkers=dict.fromkeys(session.scalars(select(Project.id)), checkers),
        leavers=tuple(_leavers(session, now)),
    )


def _leavers(session: Session, now: datetime) -> list[Leaver]:
    """Return researchers' accounts that may still sign in although all their projects have ended."""
    mine: dict[str, list[Project]] = {}
    for project in session.scalars(select(Project)):
        mine.setdefault(project.lead_id, []).append(project)
    for account_id, project in session.execute(
        select(ProjectMember.account_id, Project).join(Project, Project.id == ProjectMember.project_id)
    ):
        mine.setdefault(account_id, []).append(project)
    found = []
    for account in session.scalars(select(Account).where(Account.ended_at.is_(None)).order_by(Account.id)):
        projects = mine.get(account.id, [])
        over = account.ends_on is not None and korean_date(now) > account.ends_on
        roles = roles_now(account, now)
        if over or not projects or not roles or roles - USERS:
            continue
        ended = [each for each in projects if each.state is ProjectState.ENDED and each.ended_at is not None]
        if len(ended) == len(projects):
            last = max(ended, key=lambda each: (each.ended_at or now, each.id))
            found.append(Leaver(account.id, last.id, last.ended_at or now))
    return found


def _no_log() -> Unavailable:
    return Unavailable(
        "review.no-log",
        ko="서명된 접속기록을 읽을 수 없습니다. 점검하지 않았습니다.",
        en="The signed log cannot be read. Nothing was reviewed.",
        remedy_ko="순번기가 실행 중인지, log.pub이 있는지 운영자에게 확인하세요.",
        remedy_en="Ask an operator whether the sequencer runs and log.pub is there.",
    )
