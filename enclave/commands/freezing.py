"""How one workspace becomes frozen or stopped: the rows that every command which ends one has to change alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.model.ends import Visit
from enclave.model.workspace import Workspace
from enclave.states import WORKSPACE, FreezeCause, WorkspaceState, check_transition


def freeze_workspace(session: Session, found: Workspace, cause: FreezeCause, *, reason: str, now: datetime) -> None:
    """Freeze it and end its visit; raises `Conflict` if it is frozen or destroyed. Its grace begins with the sweep."""
    check_transition(WORKSPACE, found.state, WorkspaceState.FROZEN, f"작업공간 {found.id}")
    found.state, found.reason, found.ended_at = WorkspaceState.FROZEN, reason, now
    found.freeze_cause, found.frozen_at, found.grace_until = cause, now, None
    end_visit(session, found.id, now)


def freeze_all(session: Session, found: list[Workspace], cause: FreezeCause, *, reason: str, now: datetime) -> int:
    """Freeze those that can be frozen; returns how many."""
    able = [each for each in found if WorkspaceState.FROZEN in WORKSPACE[each.state]]
    for each in able:
        freeze_workspace(session, each, cause, reason=reason, now=now)
    return len(able)


def begin_visit(session: Session, visit: Visit) -> None:
    """Add a visit; one that a crash left open ends where the next begins."""
    end_visit(session, visit.workspace_id, visit.started_at)
    session.add(visit)


def end_visit(session: Session, workspace_id: str, now: datetime) -> None:
    """End the workspace's open visit, if there is one."""
    query = select(Visit).where(Visit.workspace_id == workspace_id, Visit.ended_at.is_(None))
    for visit in session.scalars(query):
        visit.ended_at = now
