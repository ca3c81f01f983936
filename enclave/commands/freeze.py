"""Stopping a whole project with one button, and lifting what was stopped because of an incident (korea.md R31)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.freezing import freeze_all
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.ends import ProjectFreeze
from enclave.model.workspace import Workspace
from enclave.policy import ends as policy
from enclave.queries.ends import FreezeView, active_freeze, freeze_view
from enclave.queries.project import facts, load_project
from enclave.queries.workspace import WorkspaceView, load_workspace, workspace_view
from enclave.states import WORKSPACE, FreezeCause, WorkspaceState, check_transition
from enclave.store import Store


def freeze_project(store: Store, actor: Actor, *, project_id: str, reason: str, now: datetime) -> FreezeView:
    """Freeze every workspace of a project and let none open; the door then revokes them at the gate.

    Its lead, a steward of a provider, an operator. Raises `Denied`, `NotFound`, `Invalid`, `Conflict`
    (`ends.frozen-already`).
    """
    with store.write(intent(Action.PROJECT_FREEZE, actor, ("project", project_id), project=project_id)) as tx:
        project = load_project(tx.session, project_id, lock=True)
        tx.record(details={"reason_sha256": text_sha256(reason)})
        acting = present(tx.session, actor, now)
        policy.check_may_freeze_project(acting, facts(project))
        require(("동결 사유", "reason", reason))
        made, frozen = freeze_rows(tx.session, project_id, actor, reason=reason, now=now)
        tx.record(details={"workspaces_frozen": frozen})
        return freeze_view(made)


def freeze_rows(
    session: Session, project_id: str, actor: Actor, *, reason: str, now: datetime
) -> tuple[ProjectFreeze, int]:
    """Freeze a project's rows; returns the freeze and how many workspaces it froze. Raises `Conflict`."""
    if active_freeze(session, project_id) is not None:
        raise _frozen_already(project_id)
    made = ProjectFreeze(
        id=new_id("f"), project_id=project_id, reason=reason, frozen_by=actor.account_id, frozen_at=now
    )
    session.add(made)
    workspaces = _workspaces(session, project_id)
    return made, freeze_all(session, workspaces, FreezeCause.INCIDENT, reason="project.frozen", now=now)


def thaw_project(store: Store, actor: Actor, *, project_id: str, reason: str, now: datetime) -> FreezeView:
    """Lift a project's freeze and the freezes that came with it. A steward of a provider.

    Raises `Denied`, `NotFound`, `Invalid`, `Conflict` (`ends.not-frozen-project`).
    """
    with store.write(intent(Action.PROJECT_THAW, actor, ("project", project_id), project=project_id)) as tx:
        project = load_project(tx.session, project_id, lock=True)
        tx.record(details={"reason_sha256": text_sha256(reason)})
        acting = present(tx.session, actor, now)
        policy.check_may_thaw(acting, facts(project))
        require(("해제 사유", "reason", reason))
        found = active_freeze(tx.session, project_id)
        if found is None:
            raise _not_frozen(project_id)
        found.lifted_by, found.lifted_at, found.lift_reason = actor.account_id, now, reason
        with_it = [each for each in _workspaces(tx.session, project_id) if each.reason == "project.frozen"]
        for each in with_it:
            _thaw(each)
        tx.record(details={"workspaces_thawed": len(with_it)})
        return freeze_view(found)


def thaw_workspace(store: Store, actor: Actor, *, workspace_id: str, reason: str, now: datetime) -> WorkspaceView:
    """Lift the freeze of one workspace that was frozen by itself. A steward of a provider.

    Raises `Denied`, `NotFound`, `Invalid`, `Conflict` (`ends.final`; not frozen; the whole project is frozen).
    """
    with store.write(intent(Action.WORKSPACE_THAW, actor, ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, details={"reason_sha256": text_sha256(reason)})
        acting = present(tx.session, actor, now)
        policy.check_may_thaw(acting, facts(found.project))
        require(("해제 사유", "reason", reason))
        check_transition(WORKSPACE, found.state, WorkspaceState.STOPPED, f"작업공간 {workspace_id}")
        policy.check_liftable(found.freeze_cause)
        if active_freeze(tx.session, found.project_id) is not None:
            raise _frozen_already(found.project_id)
        _thaw(found)
        return workspace_view(found, acting)


def _workspaces(session: Session, project_id: str) -> list[Workspace]:
    return list(session.scalars(select(Workspace).where(Workspace.project_id == project_id).with_for_update()))


def _thaw(found: Workspace) -> None:
    policy.check_liftable(found.freeze_cause)
    check_transition(WORKSPACE, found.state, WorkspaceState.STOPPED, f"작업공간 {found.id}")
    found.state, found.reason = WorkspaceState.STOPPED, None
    found.freeze_cause = found.frozen_at = found.grace_until = None


def _frozen_already(project_id: str) -> Conflict:
    return Conflict(
        "ends.frozen-already",
        ko=f"과제 {project_id}은(는) 이미 동결되어 있습니다.",
        en=f"The project {project_id} is frozen already.",
        remedy_ko="풀려면 제공기관의 데이터 관리자가 과제 화면에서 해제하세요.",
        remedy_en="A steward of the provider can lift it on the project's page.",
    )


def _not_frozen(project_id: str) -> Conflict:
    return Conflict(
        "ends.not-frozen-project",
        ko=f"과제 {project_id}은(는) 동결되어 있지 않습니다.",
        en=f"The project {project_id} is not frozen.",
        remedy_ko="화면을 새로 고쳐 현재 상태를 확인하세요.",
        remedy_en="Reload the page to see where it stands.",
    )
