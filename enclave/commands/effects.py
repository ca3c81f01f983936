"""Closing what a crash left open: the effect may have come about or not, and the log says exactly that (Oxide's way).

Its state becomes that of a failure, so that it can be tried again; what nevertheless runs is stopped by the sweep.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.freezing import end_visit
from enclave.effects import PATIENCE
from enclave.model.drill import DrillRun
from enclave.model.release import Release
from enclave.model.workspace import Workspace
from enclave.queries.airlock_facts import load_release
from enclave.queries.drill import load_drill
from enclave.queries.workspace import load_workspace
from enclave.states import DrillState, ReleaseState, WorkspaceState
from enclave.store import Store, Tx

LOST = "effect.lost"


def close_lost(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Close what was requested long ago and never ended, each with an entry of outcome `unknown`; return the ids."""
    with store.read() as session:
        workspaces = session.scalars(
            select(Workspace.id).where(
                Workspace.state == WorkspaceState.REQUESTED,
                Workspace.requested_at < now - PATIENCE[Action.WORKSPACE_REQUESTED],
            )
        ).all()
        releases = session.scalars(
            select(Release.id).where(
                Release.state == ReleaseState.REQUESTED,
                Release.requested_at < now - PATIENCE[Action.RELEASE_REQUESTED],
            )
        ).all()
        drills = session.scalars(
            select(DrillRun.id).where(
                DrillRun.state == DrillState.RUNNING, DrillRun.started_at < now - PATIENCE[Action.DRILL_BEGIN]
            )
        ).all()
    for workspace_id in workspaces:
        _close_workspace(store, workspace_id, now)
    for release_id in releases:
        _close_release(store, release_id, now)
    for drill_id in drills:
        _close_drill(store, drill_id, now)
    return (*workspaces, *releases, *drills)


def _close_workspace(store: Store, workspace_id: str, now: datetime) -> None:
    with store.write(intent(Action.WORKSPACE_FAILED, Actor.system(), ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, object_sha256=found.plan_sha256)
        _say(tx, now - found.requested_at)
        if found.state is WorkspaceState.REQUESTED:
            found.state, found.ended_at, found.reason = WorkspaceState.FAILED, now, LOST
            end_visit(tx.session, found.id, now)


def _close_release(store: Store, release_id: str, now: datetime) -> None:
    with store.write(intent(Action.RELEASE_FAILED, Actor.system(), ("release", release_id))) as tx:
        found = load_release(tx.session, release_id, lock=True)
        tx.record(project=found.request.project_id, details={"request": found.request_id})
        _say(tx, now - found.requested_at)
        if found.state is ReleaseState.REQUESTED:
            found.state, found.failure = ReleaseState.FAILED, LOST


def _close_drill(store: Store, drill_id: str, now: datetime) -> None:
    with store.write(intent(Action.DRILL_FAILED, Actor.system(), ("drill", drill_id))) as tx:
        found = load_drill(tx.session, drill_id, lock=True)
        _say(tx, now - (found.started_at or found.requested_at))
        if found.state is DrillState.RUNNING:
            found.state, found.finished_at, found.failure = DrillState.FAILED, now, LOST


def _say(tx: Tx, open_for: timedelta) -> None:
    tx.record(outcome="unknown", reason_code=LOST, details={"minutes": int(open_for.total_seconds()) // 60})
