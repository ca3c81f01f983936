"""GPU leases as pages, notebooks and the portal's chores see them: the queue, what is held, hours, devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.gpu import fairness
from enclave.gpu.devices import GpuKind, GpuProfile
from enclave.gpu.fairness import Held, Wish
from enclave.gpu.rules import WARNING, GpuRules
from enclave.model.gpu import GpuDevice, GpuLease, GpuShare
from enclave.model.project import Project
from enclave.policy import gpu as policy
from enclave.policy.allows import allows
from enclave.policy.project import check_may_see
from enclave.queries.project import facts, load_project
from enclave.states import DeviceState, LeaseState
from enclave.store import Store

HELD = (LeaseState.GRANTED, LeaseState.ENDING)
OPEN = (LeaseState.WAITING, *HELD)


@dataclass(frozen=True)
class LeaseView:
    """One turn. `place` (1 is next) and `expected_at` only while it waits; nobody else's name is in it."""

    id: str
    project_id: str
    project_title: str
    login: str
    kind: GpuKind
    minutes: int
    state: LeaseState
    reason: str
    requested_at: datetime
    granted_at: datetime | None
    claim_by: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    device_uuid: str | None
    workspace_id: str | None
    in_use: bool
    place: int | None
    expected_at: datetime | None
    may: frozenset[str]

    def ends_soon(self, now: datetime) -> bool:
        """Whether it is over within the time of the warning."""
        return self.expires_at is not None and now >= self.expires_at - WARNING


@dataclass(frozen=True)
class DeviceView:
    """One device, its state, and the project that has it now."""

    uuid: str
    kind: GpuKind
    name: str
    memory_bytes: int
    parent: str
    present: bool
    state: DeviceState
    reason: str
    scrubbed_at: datetime | None
    project_id: str | None


@dataclass(frozen=True)
class ProjectGpu:
    """What a project may ask for, and the seconds that devices were held for it: ever, and in the fair window."""

    project_id: str
    title: str
    profile: GpuProfile
    seconds: int
    recent_seconds: int
    may: frozenset[str]


def mine(store: Store, rules: GpuRules, actor: Actor, *, now: datetime) -> LeaseView | None:
    """Return the actor's open turn, if there is one."""
    with store.read() as session:
        query = select(GpuLease).where(GpuLease.account_id == actor.account_id, GpuLease.state.in_(OPEN))
        found = session.scalar(query)
        return lease_view(session, rules, found, actor, now) if found else None


def last(store: Store, rules: GpuRules, actor: Actor, *, now: datetime) -> LeaseView | None:
    """Return the actor's turn that ended last, with the reason; None if there never was one."""
    with store.read() as session:
        query = select(GpuLease).where(GpuLease.account_id == actor.account_id, GpuLease.state == LeaseState.ENDED)
        found = session.scalar(query.order_by(GpuLease.ended_at.desc(), GpuLease.id).limit(1))
        return lease_view(session, rules, found, actor, now) if found else None


def everybodys(store: Store, rules: GpuRules, actor: Actor, *, now: datetime) -> tuple[LeaseView, ...]:
    """Return all open turns, held ones first, then the queue in its order; raises `Denied`."""
    policy.check_may_see_all(actor)
    with store.read() as session:
        query = select(GpuLease).where(GpuLease.state.in_(OPEN)).order_by(GpuLease.requested_at, GpuLease.id)
        views = [lease_view(session, rules, each, actor, now) for each in session.scalars(query)]
        return tuple(sorted(views, key=lambda view: view.place or 0))


def of_project(store: Store, rules: GpuRules, actor: Actor, project_id: str, *, now: datetime) -> ProjectGpu:
    """Return profile and hours of one project; raises `NotFound`, `Denied`."""
    with store.read() as session:
        found = load_project(session, project_id)
        check_may_see(actor, facts(found))
        return project_gpu(session, rules, found, actor, now)


def all_projects(store: Store, rules: GpuRules, actor: Actor, *, now: datetime) -> tuple[ProjectGpu, ...]:
    """Return profile and hours of all projects, newest first; raises `Denied`."""
    policy.check_may_see_all(actor)
    with store.read() as session:
        query = select(Project).order_by(Project.created_at.desc(), Project.id)
        return tuple(project_gpu(session, rules, each, actor, now) for each in session.scalars(query))


def devices(store: Store, actor: Actor) -> tuple[DeviceView, ...]:
    """Return all devices ever seen, those that are there first; raises `Denied`."""
    policy.check_may_see_all(actor)
    with store.read() as session:
        held = select(GpuLease.device_uuid, GpuLease.project_id).where(GpuLease.state.in_(HELD))
        holders = {row.device_uuid: row.project_id for row in session.execute(held)}
        found = session.scalars(select(GpuDevice).order_by(GpuDevice.present.desc(), GpuDevice.uuid))
        return tuple(_device_view(each, holders.get(each.uuid)) for each in found)


@dataclass(frozen=True)
class Ending:
    """A turn that is over but whose device is not free yet; `workspace_id` is empty if its plan has no device now."""

    lease_id: str
    device_uuid: str
    workspace_id: str
    plan_until: datetime | None


def ending(store: Store) -> tuple[Ending, ...]:
    """Return what the portal has to take back."""
    with store.read() as session:
        rows = session.scalars(select(GpuLease).where(GpuLease.state == LeaseState.ENDING).order_by(GpuLease.id))
        return tuple(
            Ending(each.id, each.device_uuid or "", (each.workspace_id or "") if in_use(each) else "", each.plan_until)
            for each in rows
        )


def anything(store: Store) -> bool:
    """Return whether there is a device or an open turn at all; most installations have neither."""
    with store.read() as session:
        device = session.scalar(select(GpuDevice.uuid).limit(1))
        return device is not None or session.scalar(select(GpuLease.id).where(GpuLease.state.in_(OPEN))) is not None


def gpu_seconds(session: Session, workspace_id: str, *, start: datetime, end: datetime) -> int:
    """Return the seconds of a period in which this workspace had a device: what the certificate of a visit says.

    A lease that still runs counts until `end`.
    """
    query = select(GpuLease).where(GpuLease.workspace_id == workspace_id, GpuLease.granted_at.is_not(None))
    return sum(_overlap(each, start, end) for each in session.scalars(query))


def load_lease(session: Session, lease_id: str, *, lock: bool = False) -> GpuLease:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`gpu.unknown`)."""
    query = select(GpuLease).where(GpuLease.id == lease_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "gpu.unknown",
            ko=f"GPU 신청 {lease_id[:40]}이(가) 없습니다.",
            en=f"There is no GPU request {lease_id[:40]}.",
            remedy_ko="GPU 화면에서 확인하세요.",
            remedy_en="See the GPU page.",
        )
    return found


def profile_of(session: Session, project_id: str) -> GpuProfile:
    """Return what the project may ask for."""
    found = session.get(GpuShare, project_id)
    return found.profile if found else GpuProfile.NONE


def queue(session: Session, rules: GpuRules, now: datetime) -> list[Wish]:
    """Return the whole queue in its order."""
    waiting = session.scalars(select(GpuLease).where(GpuLease.state == LeaseState.WAITING))
    wishes = [Wish(each.id, each.project_id, each.kind, each.requested_at, each.minutes) for each in waiting]
    return fairness.ordered(wishes, _held(session, now - rules.window, now), now - rules.window)


def in_use(found: GpuLease) -> bool:
    """Return whether the workspace's present plan is one that was given this device."""
    return found.workspace is not None and found.plan_sha256 == found.workspace.plan_sha256


def lease_view(session: Session, rules: GpuRules, found: GpuLease, actor: Actor, now: datetime) -> LeaseView:
    """Return the row as pages show it."""
    place, expected_at = _place(session, rules, found, now) if found.state is LeaseState.WAITING else (None, None)
    may = found.state in {LeaseState.WAITING, LeaseState.GRANTED} and allows(
        policy.check_may_release, actor, account_id=found.account_id, lead_id=found.project.lead_id
    )
    return LeaseView(
        id=found.id,
        project_id=found.project_id,
        project_title=found.project.title,
        login=found.account.login,
        kind=found.kind,
        minutes=found.minutes,
        state=found.state,
        reason=found.reason,
        requested_at=found.requested_at,
        granted_at=found.granted_at,
        claim_by=found.claim_by,
        expires_at=found.expires_at,
        ended_at=found.ended_at,
        device_uuid=found.device_uuid,
        workspace_id=found.workspace_id,
        in_use=in_use(found),
        place=place,
        expected_at=expected_at,
        may=frozenset({"release_lease"} if may else ()),
    )


def project_gpu(session: Session, rules: GpuRules, found: Project, actor: Actor, now: datetime) -> ProjectGpu:
    """Return profile and hours of a project as pages show them."""
    profile = profile_of(session, found.id)
    leases = session.scalars(select(GpuLease).where(GpuLease.project_id == found.id, GpuLease.granted_at.is_not(None)))
    rows = leases.all()
    may = {
        "set_gpu_profile": allows(policy.check_may_manage, actor),
        "request_lease": allows(policy.check_may_use, actor, facts(found), found.state, profile, now),
    }
    return ProjectGpu(
        project_id=found.id,
        title=found.title,
        profile=profile,
        seconds=sum(_overlap(each, each.granted_at or now, now) for each in rows),
        recent_seconds=sum(_overlap(each, now - rules.window, now) for each in rows),
        may=frozenset(name for name, open_to in may.items() if open_to),
    )


def _place(session: Session, rules: GpuRules, found: GpuLease, now: datetime) -> tuple[int, datetime | None]:
    same = [wish for wish in queue(session, rules, now) if wish.kind is found.kind]
    place = [wish.lease_id for wish in same].index(found.id)
    return place + 1, fairness.expected(same, _free_at(session, found.kind, now))[place]


def _free_at(session: Session, kind: GpuKind, now: datetime) -> list[datetime]:
    """Return when each device of this kind that is in service is free, if its tenant uses all their time."""
    usable = select(GpuDevice.uuid).where(
        GpuDevice.kind == kind, GpuDevice.present, GpuDevice.state != DeviceState.QUARANTINED
    )
    until = select(GpuLease.device_uuid, GpuLease.expires_at).where(GpuLease.state.in_(HELD))
    ends = {row.device_uuid: row.expires_at for row in session.execute(until)}
    return [max(now, ends.get(uuid) or now) for uuid in session.scalars(usable)]


def _held(session: Session, since: datetime, now: datetime) -> list[Held]:
    query = select(GpuLease).where(
        GpuLease.granted_at.is_not(None), or_(GpuLease.ended_at.is_(None), GpuLease.ended_at > since)
    )
    return [
        Held(each.project_id, each.granted_at, each.ended_at or each.expires_at or now)
        for each in session.scalars(query)
        if each.granted_at is not None
    ]


def _overlap(found: GpuLease, start: datetime, end: datetime) -> int:
    if found.granted_at is None:
        return 0
    until = min(found.ended_at or end, end)
    return max(0, int((until - max(found.granted_at, start)).total_seconds()))


def _device_view(found: GpuDevice, project_id: str | None) -> DeviceView:
    return DeviceView(
        found.uuid,
        found.kind,
        found.name,
        found.memory_bytes,
        found.parent,
        found.present,
        found.state,
        found.reason,
        found.scrubbed_at,
        project_id,
    )
