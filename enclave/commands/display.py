"""How much may be shown of a project: a provider's word, and bringing it to a workspace that runs already."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import gpu_use
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.workspace import Means
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.watch import DisplayPolicy
from enclave.policy import display as policy
from enclave.queries import display as queries
from enclave.queries.display import DisplayView
from enclave.queries.project import facts, load_project
from enclave.queries.workspace import load_workspace
from enclave.settings import Settings
from enclave.states import WorkspaceState
from enclave.store import Store, Tx
from enclave.workspace.plan import Display, parse_plan, sign_plan

# A plan with new limits is registered at once; it is no right to start anything later.
RENEWED = timedelta(minutes=1)


@dataclass(frozen=True)
class Renewed:
    """A plan like the one a workspace started from, with other limits: for the gate."""

    plan: bytes
    signature: bytes
    sha256: str
    limits: Display


def set_display_policy(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, settings: Settings, actor: Actor, *, project_id: str, limits: Display, reason: str, now: datetime
) -> DisplayView:
    """Say for one's own organisation how much a project may show each person; of several the strictest counts.

    Data stewards of a provider. Raises `Denied` (also `display.too-wide`), `NotFound`, `Invalid`, `Conflict`.
    """
    with store.write(intent(Action.DISPLAY_POLICY, actor, ("project", project_id), project=project_id)) as tx:
        found = load_project(tx.session, project_id, lock=True)
        acting = present(tx.session, actor, now)
        policy.check_may_set_display(acting, facts(found))
        if found.state not in queries.OPEN:
            raise _not_open()
        require(("사유", "reason", reason))
        policy.check_limits(limits, queries.scale_of(settings))
        row = _row(tx, project_id, acting)
        row.set_by, row.set_at, row.reason = acting.account_id, now, reason
        for name, value in asdict(limits).items():
            setattr(row, name, value)
        tx.session.add(row)
        tx.session.flush()
        tx.record(details={**asdict(limits), "reason_sha256": text_sha256(reason)})
        return queries.display_view(tx.session, found, acting, settings)


def renew_limits(store: Store, means: Means, *, workspace_id: str, now: datetime) -> Renewed:
    """Sign anew the plan of a running workspace, with the limits now in force; the door then registers it at the gate.

    The workspace's row keeps the plan it started from: the container is labelled with that one's hash. Raises
    `NotFound`, `Conflict` (`workspace.not-running`).
    """
    with store.write(intent(Action.DISPLAY_LIMITS, Actor.system(), ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id)
        if found.state is not WorkspaceState.RUNNING:
            raise _not_running(workspace_id)
        limits = queries.in_force(tx.session, found.project, means.settings)
        expires_at = (now + RENEWED).replace(microsecond=0)
        plan = replace(parse_plan(found.plan), display=limits, expires_at=expires_at)
        gpu_use.check_renewable(tx.session, plan)
        tx.record(object_sha256=plan.sha256, details=asdict(limits))
        return Renewed(plan.canonical(), sign_plan(plan, means.plan_key), plan.sha256, limits)


def _row(tx: Tx, project_id: str, acting: Actor) -> DisplayPolicy:
    own = {"project_id": project_id, "organisation_id": acting.organisation_id}
    found = tx.session.scalar(select(DisplayPolicy).filter_by(**own))
    return found or DisplayPolicy(id=new_id("l"), **own)


def _not_open() -> Conflict:
    return Conflict(
        "display.project-state",
        ko="심의 중이거나 승인된 과제에서만 화면 한도를 정할 수 있습니다.",
        en="Display limits are set while a project is under review, approved or active.",
        remedy_ko="과제의 상태를 확인하세요.",
        remedy_en="See where the project stands.",
    )


def _not_running(workspace_id: str) -> Conflict:
    return Conflict(
        "workspace.not-running",
        ko=f"작업공간 {workspace_id}은(는) 사용 중이 아닙니다.",
        en=f"Workspace {workspace_id} is not running.",
        remedy_ko="다음에 열 때 새 한도가 적용됩니다.",
        remedy_en="The new limits count from its next start.",
    )
