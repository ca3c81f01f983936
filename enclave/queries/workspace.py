"""Workspaces as pages, REST and the hub see them, and whether one may open now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from enclave.actor import Actor
from enclave.errors import EnclaveError, NotFound
from enclave.model.ends import ProjectFreeze
from enclave.model.project import Project, ProjectMember
from enclave.model.workspace import Workspace
from enclave.policy.allows import allows
from enclave.policy.ends import RUNS
from enclave.policy.people import check_is
from enclave.policy.project import check_may_end
from enclave.policy.workspace import StartFacts, check_may_start
from enclave.queries import project as projects
from enclave.queries.manifests import read_manifest
from enclave.queries.publication import offered_until
from enclave.roles import Role
from enclave.states import WORKSPACE, ColumnState, SnapshotState, WorkspaceState
from enclave.store import Store
from enclave.workspace.plan import MountKind, parse_plan


@dataclass(frozen=True)
class WorkspaceView:
    """One person's workspace in one project; `plan_sha256` and moments are those of its last start."""

    id: str
    project_id: str
    project_title: str
    account_id: str
    login: str
    state: WorkspaceState
    reason: str | None
    container_id: str | None
    plan_sha256: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime
    may: frozenset[str]


@dataclass(frozen=True)
class StartOption:
    """One project in which the actor could open a workspace; `refusal` says why not now, None means it may open."""

    project_id: str
    title: str
    refusal: EnclaveError | None


def mine(store: Store, actor: Actor) -> tuple[WorkspaceView, ...]:
    """Return the actor's workspaces, last requested first."""
    return _several(store, actor, Workspace.account_id == actor.account_id)


def running(store: Store, actor: Actor) -> tuple[WorkspaceView, ...]:
    """Return all workspaces that are open or opening, for operators, reviewers and the system; raises `Denied`."""
    if not actor.is_system:
        check_is(actor, Role.OPERATOR, Role.REVIEWER)
    return _several(store, actor, Workspace.state.in_([WorkspaceState.REQUESTED, WorkspaceState.RUNNING]))


def frozen(store: Store, actor: Actor) -> tuple[WorkspaceView, ...]:
    """Return all frozen workspaces, none of which may run, for those who see `running`; raises `Denied`."""
    if not actor.is_system:
        check_is(actor, Role.OPERATOR, Role.REVIEWER)
    return _several(store, actor, Workspace.state == WorkspaceState.FROZEN)


def views_in_force(store: Store) -> frozenset[str]:
    """Return the names of the views that open or opening workspaces mount."""
    with store.read() as session:
        plans = session.scalars(select(Workspace.plan).where(Workspace.state.in_(RUNS))).all()
    mounts = (mount for plan in plans for mount in parse_plan(plan).mounts)
    return frozenset(mount.sha256 for mount in mounts if mount.kind is MountKind.VIEW)


def by_id(store: Store, actor: Actor, workspace_id: str) -> WorkspaceView:
    """Return one workspace of the actor's own, or any for the system; raises `NotFound` for others too."""
    with store.read() as session:
        found = load_workspace(session, workspace_id)
        if not actor.is_system and found.account_id != actor.account_id:
            raise no_workspace(workspace_id)
        return workspace_view(found, actor)


def options(store: Store, actor: Actor, *, now: datetime) -> tuple[StartOption, ...]:
    """Return for each of the actor's projects whether a workspace may open in it now."""
    member = select(ProjectMember.project_id).where(ProjectMember.account_id == actor.account_id)
    with store.read() as session:
        found = session.scalars(select(Project).where(Project.id.in_(member)).order_by(Project.created_at)).all()
        return tuple(StartOption(each.id, each.title, _refusal(session, each, actor, now)) for each in found)


def load_workspace(session: Session, workspace_id: str, *, lock: bool = False) -> Workspace:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`workspace.unknown`)."""
    query = select(Workspace).where(Workspace.id == workspace_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise no_workspace(workspace_id)
    return found


def no_workspace(workspace_id: str) -> NotFound:
    """Return the error for a workspace that is not there, or not the actor's."""
    return NotFound(
        "workspace.unknown",
        ko=f"작업공간 {workspace_id}이(가) 없습니다.",
        en=f"There is no workspace {workspace_id}.",
        remedy_ko="내 작업공간 목록에서 확인하세요.",
        remedy_en="See the list of your workspaces.",
    )


def start_facts(session: Session, found: Project, account_id: str) -> StartFacts:
    """Return what decides over a start of this person's workspace in this project."""
    approved: dict[tuple[str, str], list[str]] = {}
    for column in found.columns:
        if column.state is ColumnState.APPROVED:
            approved.setdefault((column.snapshot_id, column.table_name), []).append(column.column_name)
    used = {column.snapshot_id: column.snapshot for column in found.columns if column.state is ColumnState.APPROVED}
    withdrawn = {name: each for name, each in used.items() if each.state is not SnapshotState.PUBLISHED}
    consents = {name: read_manifest(each.manifest).consent.get("expires") for name, each in used.items()}
    return StartFacts(
        project=projects.facts(found),
        state=found.state,
        pledged=projects.has_pledged(found, account_id),
        approved=approved,
        withdrawn_snapshots=tuple(sorted(withdrawn)),
        running_stay=frozenset(name for name, each in withdrawn.items() if each.running_stay),
        consent_until={name: date.fromisoformat(day) for name, day in consents.items() if day},
        offered_until=offered_until(session, {snapshot_id for snapshot_id, _ in approved}),
        frozen=_is_frozen(session, found.id, account_id),
        project_frozen=_is_project_frozen(session, found.id),
    )


def workspace_view(found: Workspace, actor: Actor) -> WorkspaceView:
    """Return the row as pages show it."""
    about = projects.facts(found.project)
    may_freeze = WorkspaceState.FROZEN in WORKSPACE[found.state] and allows(check_may_end, actor, about)
    return WorkspaceView(
        id=found.id,
        project_id=found.project_id,
        project_title=found.project.title,
        account_id=found.account_id,
        login=found.account.login,
        state=found.state,
        reason=found.reason,
        container_id=found.container_id,
        plan_sha256=found.plan_sha256,
        requested_at=found.requested_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
        expires_at=found.expires_at,
        may=frozenset({"freeze"} if may_freeze else ()),
    )


def _several(store: Store, actor: Actor, condition: ColumnElement[bool]) -> tuple[WorkspaceView, ...]:
    with store.read() as session:
        query = select(Workspace).where(condition).order_by(Workspace.requested_at.desc(), Workspace.id)
        loaded = query.options(selectinload(Workspace.project), selectinload(Workspace.account))
        return tuple(workspace_view(each, actor) for each in session.scalars(loaded))


def _refusal(session: Session, found: Project, actor: Actor, now: datetime) -> EnclaveError | None:
    try:
        check_may_start(actor, start_facts(session, found, actor.account_id), now)
    except EnclaveError as error:
        return error
    return None


def _is_frozen(session: Session, project_id: str, account_id: str) -> bool:
    query = select(Workspace.state).where(Workspace.project_id == project_id, Workspace.account_id == account_id)
    return session.scalar(query) in {WorkspaceState.FROZEN, WorkspaceState.DESTROYED}


def _is_project_frozen(session: Session, project_id: str) -> bool:
    query = select(ProjectFreeze.id).where(ProjectFreeze.project_id == project_id, ProjectFreeze.lifted_at.is_(None))
    return session.scalar(query.limit(1)) is not None
