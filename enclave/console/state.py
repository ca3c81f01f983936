"""`ansim db …` and `ansim status`: is everything there, may roles do no more than they need, what waits for whom."""

from __future__ import annotations

import click
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from audit.tables import Part, audit_entry, audit_leaf
from enclave import database_roles, reserved
from enclave.console.acting import opened, say, step_down
from enclave.errors import Conflict
from enclave.migrations import run
from enclave.model.base import Base
from enclave.model.egress import AirlockRequest
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.release import Release
from enclave.model.workspace import Workspace
from enclave.queries import log_health
from enclave.settings import Settings
from enclave.states import ProjectState, ReleaseState, RequestState, WorkspaceState


@click.group()
def db() -> None:
    """데이터베이스를 준비합니다 (the database)."""


@db.command("upgrade")
def upgrade() -> None:
    """표를 만들거나 최신 판으로 올리고 역할의 권한을 다시 줍니다; 여러 번 해도 됩니다 (tables, and roles' rights)."""
    settings = Settings.load()
    if not settings.database_owner_url:
        step_down(settings.db)
    granting = _granting(settings) if settings.database_owner_url else []
    if granting:
        database_roles.check_owner_is_another(settings, database_roles.parts(settings))
    version = run.upgrade(settings.owner_url, granting)
    say(f"데이터베이스가 {version} 판입니다.", f"The database is at version {version}.")


@db.command("grants")
@click.option("--role", default="", help="이 역할만 / this role alone")
@click.option(
    "--part",
    type=click.Choice(["writer", "sequencer", "reader", "keeper"]),
    help="로그에서 맡은 일 / its part in the log",
)
@click.option("--apply", "at_once", is_flag=True, help="소유자로 접속해 실행 / run them as the owner")
def grants(role: str, part: Part | None, *, at_once: bool) -> None:
    """PostgreSQL에서 역할마다 꼭 필요한 권한만 남기는 SQL을 보여 줍니다 (SQL that leaves roles what they need)."""
    settings = Settings.load()
    if bool(role) != bool(part):
        raise click.UsageError("--role --part")
    wanted = database_roles.grants(role, part) if part else _granting(settings)
    if not wanted:
        raise _no_roles()
    if at_once:
        database_roles.check_owner_is_another(settings, [role] if part else database_roles.parts(settings))
        run.upgrade(settings.owner_url, wanted)
        say("권한을 다시 주었습니다.", "The rights were given anew.")
    else:
        click.echo("\n".join(f"{statement};" for statement in wanted))


@db.command("check")
@click.pass_context
def check(context: click.Context) -> None:
    """기록을 지키는 트리거가 모두 있는지, 역할이 할 일만 할 수 있는지 봅니다; 아니면 종료 코드 1 (triggers, roles)."""
    settings = Settings.load()
    with opened(settings) as store, store.read() as session:
        missing = log_health.unprotected(session)
        wide = log_health.too_wide(session, settings)
    for each in missing:
        say(f"✗ 지키지 않음\t{each}", f"✗ unprotected\t{each}")
    for each in wide:
        say(f"✗ 넓음\t{each}", f"✗ too wide\t{each}")
    if missing or wide:
        context.exit(1)
    say("✓ 트리거가 모두 있습니다.", "✓ All triggers are there.")
    for role, part in database_roles.parts(settings).items():
        say(f"✓ {role}\t{part}에 필요한 만큼만", f"✓ {role}\twhat a {part} needs and nothing else")


def _granting(settings: Settings) -> list[str]:
    found = database_roles.parts(settings).items()
    return [statement for role, part in found for statement in database_roles.grants(role, part)]


def _no_roles() -> Conflict:
    return Conflict(
        "db.no-roles",
        ko="SQLite에는 역할이 없습니다.",
        en="SQLite knows no roles.",
        remedy_ko="역할을 나누려면 PostgreSQL을 쓰고 config.toml에 database_url을 적으세요.",
        remedy_en="To have roles use PostgreSQL, with database_url in config.toml.",
    )


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
