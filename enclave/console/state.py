"""`ansim db upgrade` and `ansim status`: is everything there, and what waits for whom."""

from __future__ import annotations

import click
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from audit.tables import audit_entry, audit_leaf
from enclave import reserved
from enclave.console.acting import opened, say, step_down
from enclave.migrations import run
from enclave.model.base import Base
from enclave.model.egress import AirlockRequest
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.release import Release
from enclave.model.workspace import Workspace
from enclave.settings import Settings
from enclave.states import ProjectState, ReleaseState, RequestState, WorkspaceState


@click.group()
def db() -> None:
    """데이터베이스를 준비합니다 (the database)."""


@db.command("upgrade")
def upgrade() -> None:
    """표를 만들거나 최신 판으로 올립니다; 여러 번 해도 됩니다 (create or upgrade the tables)."""
    settings = Settings.load()
    step_down(settings.db)
    version = run.upgrade(settings.url)
    say(f"데이터베이스가 {version} 판입니다.", f"The database is at version {version}.")


@click.command()
@click.pass_context
def status(context: click.Context) -> None:
    """무엇이 기다리고 있는지 보여 줍니다 (what is waiting); 데이터베이스가 옛 판이면 종료 코드 1."""
    with opened(Settings.load()) as store, store.read() as session:
        version = run.current(session.connection())
        if version != run.newest():
            say(
                f"데이터베이스가 {version or '빈'} 판입니다. 다음: ansim db upgrade",
                f"The database is at version {version or 'none'}. Next: ansim db upgrade",
            )
            context.exit(1)
        for (ko, en), count in _counts(session).items():
            say(f"{ko}\t{count:,}", f"{en}\t{count:,}")


def _count(table: type[Base], condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(condition)


def _counts(session: Session) -> dict[tuple[str, str], int]:
    open_workspaces = (WorkspaceState.REQUESTED, WorkspaceState.RUNNING)
    questions = {
        ("계정", "accounts"): _count(Account, Account.ended_at.is_(None) & Account.login.not_in(reserved.LOGINS)),
        ("심의 대기 과제", "applications under review"): _count(Project, Project.state == ProjectState.SUBMITTED),
        ("수행 중 과제", "active projects"): _count(
            Project, (Project.state == ProjectState.ACTIVE) & (Project.id != reserved.PROJECT)
        ),
        ("열린 작업공간", "open workspaces"): _count(Workspace, Workspace.state.in_(open_workspaces)),
        ("심사 대기 반출", "egress under review"): _count(
            AirlockRequest, AirlockRequest.state == RequestState.SUBMITTED
        ),
        ("준비 중 반출물", "releases being prepared"): _count(Release, Release.state == ReleaseState.REQUESTED),
        ("수령 대기 반출물", "releases to collect"): _count(Release, Release.state == ReleaseState.DONE),
        ("기록", "log entries"): select(func.count()).select_from(audit_entry),
        ("순번을 기다리는 기록", "entries not yet numbered"): select(
            select(func.count()).select_from(audit_entry).scalar_subquery()
            - select(func.count()).select_from(audit_leaf).scalar_subquery()
        ),
    }
    return {names: session.scalar(question) or 0 for names, question in questions.items()}
