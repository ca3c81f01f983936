"""Who holds a version of a data set: projects with approved columns of it, and their workspaces (korea.md R97).

What a withdrawal is about: those who must move to a newer version, and whose mounts end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.model.project import Project, ProjectColumn
from enclave.model.workspace import Workspace
from enclave.policy.dataset import check_may_trace
from enclave.queries.dataset import load_snapshot
from enclave.states import ColumnState, ProjectState, WorkspaceState
from enclave.store import Store


@dataclass(frozen=True, kw_only=True)
class HeldBy:
    """One workspace of a project that holds the version; `running` now or about to."""

    workspace_id: str
    login: str
    state: WorkspaceState
    started_at: datetime | None
    running: bool


@dataclass(frozen=True, kw_only=True)
class Holder:
    """One project with approved columns of a snapshot."""

    snapshot_id: str
    project_id: str
    title: str
    state: ProjectState
    columns: int
    workspaces: tuple[HeldBy, ...]


def holders(store: Store, actor: Actor, snapshot_id: str) -> tuple[Holder, ...]:
    """Return the projects that hold a snapshot, by id.

    For stewards and owners of its provider, overseers, and the machine's console; raises `Denied` or `NotFound`.
    """
    with store.read() as session:
        snapshot = load_snapshot(session, snapshot_id)
        check_may_trace(actor, snapshot.dataset.organisation_id)
        return load_holders(session, snapshot_id)


def load_holders(session: Session, snapshot_id: str) -> tuple[Holder, ...]:
    """Return them in this transaction."""
    approved = ProjectColumn.snapshot_id == snapshot_id, ProjectColumn.state == ColumnState.APPROVED
    found = []
    for project in session.scalars(
        select(Project).where(Project.id.in_(select(ProjectColumn.project_id).where(*approved))).order_by(Project.id)
    ):
        columns = [each for each in project.columns if each.snapshot_id == snapshot_id]
        found.append(
            Holder(
                snapshot_id=snapshot_id,
                project_id=project.id,
                title=project.title,
                state=project.state,
                columns=sum(each.state is ColumnState.APPROVED for each in columns),
                workspaces=_workspaces(session, project.id),
            )
        )
    return tuple(found)


def _workspaces(session: Session, project_id: str) -> tuple[HeldBy, ...]:
    query = select(Workspace).where(Workspace.project_id == project_id).order_by(Workspace.id)
    runs = {WorkspaceState.REQUESTED, WorkspaceState.RUNNING}
    return tuple(
        HeldBy(
            workspace_id=each.id,
            login=each.account.login,
            state=each.state,
            started_at=each.started_at,
            running=each.state in runs,
        )
        for each in session.scalars(query)
        if each.state is not WorkspaceState.DESTROYED
    )
