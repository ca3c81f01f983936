"""Frozen projects and workspaces, what must end now, and what is due to be destroyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from enclave.actor import Actor
from enclave.model.ends import Destruction, ProjectFreeze
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.policy import ends as policy
from enclave.policy.allows import allows
from enclave.policy.ends import EndFacts, FrozenFacts, Ruling
from enclave.policy.project import check_may_see
from enclave.queries.people import roles_now, standing_facts
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.queries.workspace import load_workspace, no_workspace, start_facts
from enclave.states import FreezeCause, WorkspaceState
from enclave.store import Store

OVER = (WorkspaceState.FROZEN, WorkspaceState.DESTROYED)


@dataclass(frozen=True)
class FreezeView:
    """One stop of a whole project."""

    id: str
    project_id: str
    reason: str
    frozen_by: str
    frozen_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True)
class EndedView:
    """One workspace that is frozen or destroyed: why, and until when its person may see and ask for its files."""

    id: str
    project_id: str
    project_title: str
    account_id: str
    login: str
    state: WorkspaceState
    cause: FreezeCause | None
    frozen_at: datetime | None
    grace_until: datetime | None
    may: frozenset[str]


@dataclass(frozen=True)
class ProjectEnds:
    """What is frozen in a project. `may`: `freeze_project`, `thaw_project`."""

    freeze: FreezeView | None
    workspaces: tuple[EndedView, ...]
    may: frozenset[str]


def of_project(store: Store, actor: Actor, project_id: str, *, now: datetime) -> ProjectEnds:
    """Return what is frozen in a project, for whoever may see it; raises `Denied`, `NotFound`."""
    with store.read() as session:
        project = load_project(session, project_id)
        about = project_facts(project)
        check_may_see(actor, about)
        found = active_freeze(session, project_id)
        query = select(Workspace).where(Workspace.project_id == project_id, Workspace.state.in_(OVER))
        offered = {
            "freeze_project": found is None and allows(policy.check_may_freeze_project, actor, about),
            "thaw_project": found is not None and allows(policy.check_may_thaw, actor, about),
        }
        return ProjectEnds(
            freeze=freeze_view(found) if found else None,
            workspaces=tuple(ended_view(each, actor, now) for each in session.scalars(query.order_by(Workspace.id))),
            may=frozenset(name for name, open_to in offered.items() if open_to),
        )


def ended(store: Store, actor: Actor, workspace_id: str, *, now: datetime) -> EndedView:
    """Return one's own frozen or destroyed workspace; raises `NotFound` for any other."""
    with store.read() as session:
        found = load_workspace(session, workspace_id)
        if found.account_id != actor.account_id or found.state not in OVER:
            raise no_workspace(workspace_id)
        return ended_view(found, actor, now)


def askable(store: Store, actor: Actor, workspace_id: str, *, now: datetime) -> EndedView:
    """Return one's own frozen workspace if its files can be asked for; raises what `policy.check_may_ask` does."""
    with store.read() as session:
        found = load_workspace(session, workspace_id)
        policy.check_may_ask(actor, frozen_facts(found), now)
        return ended_view(found, actor, now)


def must_end(store: Store, *, now: datetime) -> tuple[tuple[str, Ruling], ...]:
    """Return every workspace that a rule ends now, with the ruling."""
    with store.read() as session:
        query = select(Workspace).where(Workspace.state.not_in(OVER)).order_by(Workspace.id)
        found = [(each.id, ruling_of(session, each, now)) for each in session.scalars(query)]
        return tuple((name, ruling) for name, ruling in found if ruling is not None)


def without_grace(store: Store) -> tuple[str, ...]:
    """Return the workspaces that are frozen for good and have no end of grace yet."""
    return _ids(store, Workspace.grace_until.is_(None))


def due(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Return the workspaces whose grace is over and whose destruction nobody has asked for yet."""
    asked = select(Destruction.workspace_id)
    # What froze before its project did is part of what is looked into.
    held = select(ProjectFreeze.project_id).where(ProjectFreeze.lifted_at.is_(None))
    over = (Workspace.grace_until <= now) & Workspace.project_id.not_in(held)
    return _ids(store, over & Workspace.id.not_in(asked))


def in_destruction(store: Store) -> tuple[str, ...]:
    """Return the workspaces whose destruction was asked for and is not done."""
    with store.read() as session:
        return tuple(session.scalars(select(Destruction.workspace_id).where(Destruction.done_at.is_(None))))


def allowed_to_run(store: Store) -> frozenset[str]:
    """Return the ids of all workspaces that may have a container now."""
    with store.read() as session:
        return frozenset(session.scalars(select(Workspace.id).where(Workspace.state.in_(policy.RUNS))))


def ruling_of(session: Session, found: Workspace, now: datetime) -> Ruling | None:
    """Return why this workspace must end now, or None."""
    account = found.account
    owner = Actor(account.id, account.login, roles_now(account, now), account.organisation_id, "", "")
    start = start_facts(session, found.project, account.id)
    facts = EndFacts(
        state=found.state,
        start=start,
        standing=standing_facts(account),
        expires_at=found.expires_at,
        columns_then=found.columns_sha256,
        columns_now=columns_sha256(start.approved),
    )
    return policy.ruling(owner, facts, now)


def columns_sha256(approved: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Return a name for a set of approved columns: the same for the same columns in any order."""
    lines = sorted(f"{snapshot}\t{table}\t{name}" for (snapshot, table), names in approved.items() for name in names)
    return sha256("\n".join(lines).encode()).hexdigest()


def active_freeze(session: Session, project_id: str) -> ProjectFreeze | None:
    """Return the freeze of a project that is in force."""
    query = select(ProjectFreeze).where(ProjectFreeze.project_id == project_id, ProjectFreeze.lifted_at.is_(None))
    return session.scalar(query.limit(1))


def is_project_frozen(found: Project) -> bool:
    """Return whether a freeze of the whole project is in force."""
    session = object_session(found)
    return session is not None and active_freeze(session, found.id) is not None


def frozen_facts(found: Workspace) -> FrozenFacts:
    """Return what policies ask about a frozen workspace."""
    project = project_facts(found.project)
    held = is_project_frozen(found.project)
    return FrozenFacts(found.state, found.account_id, found.freeze_cause, found.grace_until, project, held)


def freeze_view(found: ProjectFreeze) -> FreezeView:
    """Return the row as pages show it."""
    return FreezeView(found.id, found.project_id, found.reason, found.frozen_by, found.frozen_at, found.lifted_at)


def ended_view(found: Workspace, actor: Actor, now: datetime) -> EndedView:
    """Return the row as pages show it."""
    about = frozen_facts(found)
    offered = {
        "look": allows(policy.check_may_look, actor, about),
        "ask": allows(policy.check_may_ask, actor, about, now),
        "thaw": found.state is WorkspaceState.FROZEN
        and found.freeze_cause is FreezeCause.INCIDENT
        and found.reason != "project.frozen"
        and allows(policy.check_may_thaw, actor, about.project),
    }
    return EndedView(
        id=found.id,
        project_id=found.project_id,
        project_title=found.project.title,
        account_id=found.account_id,
        login=found.account.login,
        state=found.state,
        cause=found.freeze_cause,
        frozen_at=found.frozen_at,
        grace_until=found.grace_until,
        may=frozenset(name for name, open_to in offered.items() if open_to),
    )


def _ids(store: Store, condition: object) -> tuple[str, ...]:
    query = select(Workspace.id).where(
        Workspace.state == WorkspaceState.FROZEN,
        Workspace.freeze_cause != FreezeCause.INCIDENT,
        condition,  # type: ignore[arg-type]  # a condition of SQL
    )
    with store.read() as session:
        return tuple(session.scalars(query.order_by(Workspace.id)))
