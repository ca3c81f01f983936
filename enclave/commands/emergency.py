"""Replaying what was done while nothing could be recorded: each act once, as its own flagged entry.

First thing after recovery, before anything else is written. Policy is asked again with the roles of now; an act that
is refused then, or has nothing left to do, is recorded as that, and never stands in the way of those behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from enclave.actions import Action
from enclave.commands.acting import intent, present, text_sha256
from enclave.commands.freeze import freeze_rows
from enclave.commands.freezing import end_visit
from enclave.commands.people import close_account, take_role
from enclave.errors import Denied, EnclaveError
from enclave.model.watch import TakenEvent
from enclave.policy import ends as ends_policy
from enclave.policy.emergency import KIND, Act, Emergency
from enclave.policy.people import check_may_change_rights
from enclave.policy.project import check_may_end
from enclave.queries.people import load_account
from enclave.queries.project import facts, load_project
from enclave.queries.workspace import load_workspace
from enclave.roles import Role
from enclave.states import WORKSPACE, WorkspaceState, check_transition
from enclave.store import Store, Tx

STOPPED = "emergency.stop"


def replay(store: Store, *, emergency: Emergency, now: datetime) -> None:
    """Apply and record one act; nothing happens when it is recorded already. Raises `Unavailable`: not yet."""
    with store.read() as session:
        if session.get(TakenEvent, emergency.id) is not None:
            return
    event = intent(Action.EMERGENCY_ACT, emergency.actor, (KIND[emergency.act], emergency.on))
    with store.write(event) as tx:
        # A second replay at the same time ends here, at the key.
        tx.session.add(
            TakenEvent(id=emergency.id, workspace_id="", kind=emergency.act.value, single=False, taken_at=now)
        )
        tx.session.flush()
        tx.record(
            details={
                "act": emergency.act.value,
                "acted_at": emergency.acted_at.isoformat(timespec="milliseconds"),
                "reason_sha256": text_sha256(emergency.reason),
            }
        )
        try:
            with tx.session.begin_nested():
                _APPLY[emergency.act](tx, emergency, now)
        except EnclaveError as error:
            outcome = "denied" if isinstance(error, Denied) else "failed"
            tx.record(outcome=outcome, reason_code=error.code)


def _log_out(tx: Tx, emergency: Emergency, now: datetime) -> None:
    """Nothing is left to do: the session ended at the door. The hub knows a login alone; the account is found here."""
    account = load_account(tx.session, emergency.on)
    tx.record(actor_id=account.id, object_id=account.id, details={"late_s": _late(emergency, now)})


def _stop(tx: Tx, emergency: Emergency, now: datetime) -> None:
    found = load_workspace(tx.session, emergency.on, lock=True)
    tx.record(project=found.project_id)
    acting = present(tx.session, emergency.actor, now)
    if found.account_id != acting.account_id and Role.DATA_STEWARD not in acting.roles:
        check_may_end(acting, facts(found.project))
    check_transition(WORKSPACE, found.state, WorkspaceState.STOPPED, f"작업공간 {found.id}")
    found.state, found.reason, found.ended_at = WorkspaceState.STOPPED, STOPPED, emergency.acted_at
    end_visit(tx.session, found.id, emergency.acted_at)


def _freeze(tx: Tx, emergency: Emergency, now: datetime) -> None:
    project = load_project(tx.session, emergency.on, lock=True)
    tx.record(project=project.id)
    acting = present(tx.session, emergency.actor, now)
    ends_policy.check_may_freeze_project(acting, facts(project))
    _, frozen = freeze_rows(tx.session, project.id, acting, reason=emergency.reason, now=emergency.acted_at)
    tx.record(details={"workspaces_frozen": frozen})


def _revoke_role(tx: Tx, emergency: Emergency, now: datetime) -> None:
    account = load_account(tx.session, emergency.on, lock=True)
    tx.record(object_id=account.id, details={"role": emergency.role})
    acting = present(tx.session, emergency.actor, now)
    check_may_change_rights(acting, account.id)
    take_role(account, Role(emergency.role), acting, reason=emergency.reason, now=emergency.acted_at)


def _end_account(tx: Tx, emergency: Emergency, now: datetime) -> None:
    account = load_account(tx.session, emergency.on, lock=True)
    tx.record(object_id=account.id)
    acting = present(tx.session, emergency.actor, now)
    check_may_change_rights(acting, account.id)
    frozen = close_account(tx.session, account, acting, reason=emergency.reason, now=emergency.acted_at)
    tx.record(details={"workspaces_frozen": frozen})


def _late(emergency: Emergency, now: datetime) -> int:
    return int((now - emergency.acted_at).total_seconds())


_APPLY: dict[Act, Callable[[Tx, Emergency, datetime], None]] = {
    Act.LOG_OUT: _log_out,
    Act.STOP: _stop,
    Act.FREEZE: _freeze,
    Act.REVOKE_ROLE: _revoke_role,
    Act.END_ACCOUNT: _end_account,
}
