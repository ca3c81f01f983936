"""What the sweep does to one workspace: end it by a rule, close it because nobody is there, begin its grace."""

from __future__ import annotations

from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent
from enclave.commands.freezing import end_visit, freeze_workspace
from enclave.errors import Conflict
from enclave.policy.ends import grace_ends
from enclave.queries.ends import ruling_of
from enclave.queries.workspace import WorkspaceView, load_workspace, workspace_view
from enclave.states import WORKSPACE, FreezeCause, WorkspaceState, check_transition
from enclave.store import Store


def enforce(store: Store, actor: Actor, *, workspace_id: str, now: datetime) -> WorkspaceView:
    """End a workspace that a rule ends now, for good or until the reason is mended; the door revokes it at the gate.

    The system. Raises `Denied`, `NotFound`, `Conflict` (`ends.not-due`: the rules let it be).
    """
    with store.write(intent(Action.WORKSPACE_ENFORCE, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, object_sha256=found.plan_sha256)
        ruling = ruling_of(tx.session, found, now)
        if ruling is None:
            raise _not_due()
        if ruling.cause is not None:
            freeze_workspace(tx.session, found, ruling.cause, reason=ruling.code, now=now)
        else:
            check_transition(WORKSPACE, found.state, WorkspaceState.STOPPED, f"작업공간 {workspace_id}")
            found.state, found.reason, found.ended_at = WorkspaceState.STOPPED, ruling.code, now
            end_visit(tx.session, found.id, now)
        tx.record(reason_code=ruling.code, details={"state": found.state.value})
        return workspace_view(found, actor)


def cull(store: Store, actor: Actor, *, workspace_id: str, idle_minutes: int, now: datetime) -> WorkspaceView:
    """Close a workspace at which nobody was and nothing worked; its files stay. The system.

    Raises `Denied`, `NotFound`, `Conflict` (it does not run).
    """
    with store.write(intent(Action.WORKSPACE_CULL, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, details={"idle_minutes": idle_minutes})
        if found.state is not WorkspaceState.RUNNING:
            raise _not_due()
        found.state, found.reason, found.ended_at = WorkspaceState.STOPPED, "workspace.idle", now
        end_visit(tx.session, found.id, now)
        return workspace_view(found, actor)


def begin_grace(store: Store, actor: Actor, *, workspace_id: str, days: int, now: datetime) -> WorkspaceView:
    """Say until when the files of a workspace that is frozen for good can be seen and asked for. The system.

    Raises `Denied`, `NotFound`, `Conflict` (`ends.not-due`).
    """
    with store.write(intent(Action.WORKSPACE_GRACE, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id)
        final = found.state is WorkspaceState.FROZEN and found.freeze_cause not in {None, FreezeCause.INCIDENT}
        if not final or found.grace_until is not None:
            raise _not_due()
        found.grace_until = grace_ends(found.frozen_at or now, days)
        tx.record(details={"days": days, "cause": str(found.freeze_cause), "until": f"{found.grace_until:%Y-%m-%d}"})
        return workspace_view(found, actor)


def _not_due() -> Conflict:
    return Conflict(
        "ends.not-due",
        ko="규칙상 지금 끝낼 작업공간이 아닙니다.",
        en="No rule ends this workspace now.",
        remedy_ko="더 할 일은 없습니다.",
        remedy_en="There is nothing to do.",
    )
