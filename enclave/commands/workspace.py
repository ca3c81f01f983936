"""Opening, closing and freezing workspaces. What opens is decided here, signed, and only then asked of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.event import Subjects
from deid.versions.keystore import KeyStore
from enclave import keys, reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.clock import KST
from enclave.commands import gpu_use
from enclave.commands.acting import check_system, intent, present, require, text_sha256
from enclave.commands.freezing import begin_visit, end_visit, freeze_workspace
from enclave.errors import Conflict, Denied, Invalid
from enclave.ids import new_id
from enclave.model.data import Snapshot
from enclave.model.ends import Visit
from enclave.model.project import Project, ProjectMember
from enclave.model.workspace import Workspace
from enclave.policy import workspace as policy
from enclave.policy.allows import allows
from enclave.policy.desk import check_address
from enclave.policy.project import check_may_end
from enclave.queries import display, incoming
from enclave.queries.desk import load_seat
from enclave.queries.ends import columns_sha256
from enclave.queries.manifests import read_manifest
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.queries.workspace import WorkspaceView, load_workspace, start_facts, workspace_view
from enclave.settings import Settings
from enclave.snapshot_keys import store_of
from enclave.states import WORKSPACE, FreezeCause, WorkspaceState, check_transition
from enclave.store import Store, Tx
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import Mount, WorkspacePlan, parse_plan, sign_plan
from enclave.workspace.topology import network_of
from enclave.workspace.views import View, project_view

# What has ended keeps its state and its reason, whatever the hub tells afterwards.
OVER = frozenset({WorkspaceState.STOPPED, WorkspaceState.FROZEN, WorkspaceState.DESTROYED})


@dataclass(frozen=True)
class Means:
    """What a start needs besides the database: limits and folders, the image, the keys."""

    settings: Settings
    image_id: str
    plan_key: Ed25519PrivateKey
    snapshot_key: Ed25519PublicKey
    snapshot_store: KeyStore | None = None

    @classmethod
    def load(cls, settings: Settings) -> Means:
        """Return the means of this installation; raises `Unavailable` (`keys.unreadable`) without the keys."""
        plan_key = keys.load_signing_key(settings.plan_key)
        public_key = keys.load_public_key(settings.snapshot_public_key)
        return cls(settings, settings.image, plan_key, public_key, store_of(settings))


@dataclass(frozen=True)
class Start:
    """A start that was allowed: what the hub shows the engine, and what the gate compares it with."""

    workspace: WorkspaceView
    plan: bytes
    signature: bytes
    plan_sha256: str


@dataclass(frozen=True)
class _Survey:
    """What was found allowed before the views were made: project, columns by snapshot and table, their folders."""

    project_id: str
    approved: policy.Columns
    folders: Mapping[str, tuple[str, Path]]
    subjects: int


def request_start(store: Store, means: Means, actor: Actor, *, now: datetime, project_id: str | None = None) -> Start:
    """Allow a start and return its signed plan. Without `project_id` the one project that is open to the actor.

    Raises `Denied` with the reason (`project.not-member`, `workspace.no-pledge`, `project.not-active`,
    `project.expired`, `workspace.no-columns`, `workspace.snapshot-damaged`, …), `Invalid` (`workspace.which-project`),
    `Conflict` (`workspace.other-open`), `Unavailable` (a view could not be written).
    """
    event = intent(
        Action.WORKSPACE_REQUESTED, actor, ("workspace", project_id or "any"), project=project_id, outcome="allowed"
    )
    # Verifying snapshots and writing views takes its time: not inside a transaction.
    with store.prepare(event):
        survey = _survey(store, actor, project_id, now)
        views = _views(means, survey)
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        project = load_project(tx.session, survey.project_id, lock=True)
        tx.record(project=project.id)
        about = start_facts(tx.session, project, acting.account_id)
        policy.check_may_start(acting, about, now)
        check_address(load_seat(tx.session, acting.account_id), acting.ip)
        if about.approved != survey.approved:
            raise _changed_meanwhile()
        _check_alone(tx.session, acting, project.id)
        shown = display.in_force(tx.session, project, means.settings)
        lease = gpu_use.usable(tx.session, acting, project, now)
        brought = incoming.brought(tx.session, project)
        found = _own_workspace(tx.session, acting, project)
        check_transition(WORKSPACE, found.state, WorkspaceState.REQUESTED, f"작업공간 {found.id}")
        found.columns_sha256 = columns_sha256(survey.approved)
        mounts = plan_mounts(Roots.under(means.settings.home), found.id, views, brought)
        plan = replace(_plan(means, found, acting, mounts, now), display=shown)
        plan = small(gpu_use.equipped(plan, lease, means.settings))
        _note_plan(found, project, plan, means, now)
        tx.session.flush()
        gpu_use.note(tx, lease, found, plan)
        tx.session.refresh(found, ["project", "account"])
        tx.record(
            object_id=found.id,
            object_sha256=plan.sha256,
            subjects=Subjects(survey.subjects, "pseudonymised"),
            details={
                "snapshots": len(survey.folders),
                "image": plan.image_id,
                "imports": len(brought.imports),
                "packages": brought.packages[:12],
            },
        )
        return Start(workspace_view(found, acting), found.plan, found.plan_signature, plan.sha256)


def mark_started(store: Store, actor: Actor, *, workspace_id: str, container_id: str, now: datetime) -> WorkspaceView:
    """Record that the engine runs it. The hub (system) only; raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.WORKSPACE_STARTED, actor, ("workspace", workspace_id))) as tx:
        found = _moved(tx, actor, workspace_id, WorkspaceState.RUNNING)
        found.container_id, found.started_at, found.reason = container_id[:128], now, None
        begin_visit(tx.session, _visit(found, now))
        tx.record(details={"container": container_id[:128]})
        return workspace_view(found, actor)


def mark_failed(store: Store, actor: Actor, *, workspace_id: str, reason: str, now: datetime) -> WorkspaceView:
    """Record that it did not start, and a code of why. The hub (system); raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.WORKSPACE_FAILED, actor, ("workspace", workspace_id))) as tx:
        found = _moved(tx, actor, workspace_id, WorkspaceState.FAILED)
        found.ended_at, found.reason = now, reason
        end_visit(tx.session, found.id, now)
        tx.record(outcome="failed", details={"reason_sha256": text_sha256(reason)})
        return workspace_view(found, actor)


def mark_stopped(store: Store, actor: Actor, *, workspace_id: str, reason: str, now: datetime) -> WorkspaceView:
    """Record that it stopped, whoever had it stopped; a frozen one stays frozen. The hub (system).

    Raises `Denied`, `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.WORKSPACE_STOPPED, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, details={"reason_sha256": text_sha256(reason)})
        if found.state not in OVER:
            check_transition(WORKSPACE, found.state, WorkspaceState.STOPPED, f"작업공간 {workspace_id}")
            found.state, found.reason = WorkspaceState.STOPPED, reason
            found.ended_at = now
        end_visit(tx.session, found.id, now)
        return workspace_view(found, actor)


def freeze(store: Store, actor: Actor, *, workspace_id: str, reason: str, now: datetime) -> WorkspaceView:
    """Close a workspace until a steward lifts it; the door then revokes it at the gate.

    The project's lead, a provider's steward, an operator. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.WORKSPACE_FREEZE, actor, ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id, details={"reason_sha256": text_sha256(reason)})
        acting = present(tx.session, actor, now)
        check_may_end(acting, project_facts(found.project))
        require(("동결 사유", "reason", reason))
        freeze_workspace(tx.session, found, FreezeCause.INCIDENT, reason=reason, now=now)
        return workspace_view(found, acting)


def _survey(store: Store, actor: Actor, project_id: str | None, now: datetime) -> _Survey:
    with store.read() as session:
        acting = present(session, actor, now)
        project = load_project(session, project_id) if project_id else _only_open(session, acting, now)
        about = start_facts(session, project, acting.account_id)
        policy.check_may_start(acting, about, now)
        used = {snapshot_id for snapshot_id, _ in about.approved}
        snapshots = session.scalars(select(Snapshot).where(Snapshot.id.in_(used))).all()
        folders = {each.id: (each.dataset_id, Path(each.path)) for each in snapshots}
        return _Survey(project.id, about.approved, folders, sum(map(_subjects, snapshots)))


def _only_open(session: Session, acting: Actor, now: datetime) -> Project:
    query = select(Project).join(ProjectMember).where(ProjectMember.account_id == acting.account_id)
    found = session.scalars(query.order_by(Project.created_at.desc(), Project.id)).all()
    ready = [
        each
        for each in found
        if allows(policy.check_may_start, acting, start_facts(session, each, acting.account_id), now)
    ]
    if not found:
        raise Denied(
            "project.not-member",
            ko="참여 중인 과제가 없습니다.",
            en="You are not a member of any project.",
            remedy_ko="과제 책임자에게 참여자 등록을 요청하세요.",
            remedy_en="Ask a project lead to name you in an application.",
        )
    if len(ready) > 1:
        raise Invalid(
            "workspace.which-project",
            ko=f"열 수 있는 과제가 {len(ready)}개입니다.",
            en=f"{len(ready)} projects are open to you.",
            remedy_ko="포털에서 과제를 골라 작업공간을 여세요.",
            remedy_en="Choose one in the portal and open the workspace there.",
        )
    # None is ready: the newest one tells why.
    return ready[0] if ready else found[0]


def _views(means: Means, survey: _Survey) -> dict[str, View]:
    views = {}
    for snapshot_id, (dataset_id, folder) in survey.folders.items():
        columns = {table: names for (of, table), names in survey.approved.items() if of == snapshot_id}
        views[dataset_id] = project_view(
            folder, columns, means.settings.views, public_key=means.snapshot_key, store=means.snapshot_store
        )
    return views


def _check_alone(session: Session, acting: Actor, project_id: str) -> None:
    query = select(Workspace.project_id).where(
        Workspace.account_id == acting.account_id,
        Workspace.project_id != project_id,
        Workspace.state == WorkspaceState.RUNNING,
    )
    other = session.scalar(query)
    if other is not None:
        raise Conflict(
            "workspace.other-open",
            ko=f"다른 과제({other})의 작업공간이 열려 있습니다.",
            en=f"Your workspace in another project ({other}) is open.",
            remedy_ko="그 작업공간을 닫은 뒤 다시 여세요.",
            remedy_en="Close it, then open this one.",
        )


def _own_workspace(session: Session, acting: Actor, project: Project) -> Workspace:
    query = select(Workspace).where(Workspace.account_id == acting.account_id, Workspace.project_id == project.id)
    found = session.scalar(query.with_for_update())
    if found is None:
        # Already in the state it is about to be asked into, which may follow itself.
        found = Workspace(id=new_id("w"), project_id=project.id, account_id=acting.account_id)
        found.state = WorkspaceState.REQUESTED
        session.add(found)
    return found


def _plan(means: Means, found: Workspace, acting: Actor, mounts: tuple[Mount, ...], now: datetime) -> WorkspacePlan:
    settings = means.settings
    return WorkspacePlan(
        workspace_id=found.id,
        project_id=found.project_id,
        account_id=acting.account_id,
        login=acting.login,
        image_id=means.image_id,
        mounts=mounts,
        expires_at=(now + timedelta(minutes=settings.plan_minutes)).replace(microsecond=0),
        memory_bytes=settings.memory_bytes,
        cpus=settings.cpus,
        pids=settings.pids,
        network=network_of(found.project_id, settings.topology),
        seat=acting.ip,
        idle_minutes=settings.idle_lock_minutes,
        clipboard_chars=settings.clipboard_chars,
    )


def _visit(found: Workspace, now: datetime) -> Visit:
    return Visit(
        id=new_id("i"),
        workspace_id=found.id,
        project_id=found.project_id,
        account_id=found.account_id,
        seat=parse_plan(found.plan).seat,
        plan_sha256=found.plan_sha256,
        started_at=now,
    )


def small(plan: WorkspacePlan) -> WorkspacePlan:
    """Return the plan of a drill's workspace with small bounds, because it tries to use them up; others as they are."""
    if plan.login not in reserved.LOGINS:
        return plan
    return replace(
        plan,
        memory_bytes=768 << 20,
        cpus=1,
        pids=128,
        home_bytes=64 << 20,
        outbox_bytes=16 << 20,
        seat="",
        gpu_uuids=(),
    )


def _note_plan(found: Workspace, project: Project, plan: WorkspacePlan, means: Means, now: datetime) -> None:
    found.state, found.requested_at, found.reason = WorkspaceState.REQUESTED, now, None
    found.started_at = found.ended_at = found.container_id = None
    found.plan, found.plan_sha256 = plan.canonical(), plan.sha256
    found.plan_signature = sign_plan(plan, means.plan_key)
    found.expires_at = now + timedelta(hours=means.settings.workspace_hours)
    if project.ends_on is not None:
        # Midnight in Seoul after the last day (korea.md R31).
        last = datetime.combine(project.ends_on + timedelta(days=1), time(), KST)
        found.expires_at = min(found.expires_at, last)


def _moved(tx: Tx, actor: Actor, workspace_id: str, after: WorkspaceState) -> Workspace:
    check_system(actor)
    found = load_workspace(tx.session, workspace_id, lock=True)
    tx.record(project=found.project_id, object_sha256=found.plan_sha256)
    check_transition(WORKSPACE, found.state, after, f"작업공간 {workspace_id}")
    found.state = after
    return found


def _changed_meanwhile() -> Conflict:
    return Conflict(
        "workspace.columns-changed",
        ko="여는 동안 승인된 항목이 바뀌었습니다.",
        en="The approved columns changed while the workspace was being opened.",
        remedy_ko="다시 여세요.",
        remedy_en="Open it again.",
    )


def _subjects(snapshot: Snapshot) -> int:
    tables = read_manifest(snapshot.manifest).tables.values()
    return max((table.subjects for table in tables), default=0)
