"""Turns at a GPU: asked for, granted fairly, given back, taken back. One device has one tenant at a time.

A turn ends in two steps. First the right ends (`gpu.end-requested`) and the door stops the workspace at the gate; the
device stays held until that is certain (`gpu.end-done`), and then waits for its memory to be erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.errors import Conflict, Invalid
from enclave.gpu.devices import GpuKind, GpuProfile
from enclave.gpu.endings import reason_to_end
from enclave.gpu.rules import SHORTEST_MINUTES, WARNING, GpuRules, is_fresh
from enclave.ids import new_id
from enclave.model.gpu import GpuDevice, GpuLease, GpuShare
from enclave.policy import gpu as policy
from enclave.queries import gpu as queries
from enclave.queries.gpu import LeaseView, ProjectGpu, lease_view, load_lease
from enclave.queries.gpu_facts import lease_facts
from enclave.queries.project import facts, load_project
from enclave.states import LEASE, DeviceState, LeaseState, check_transition
from enclave.store import Store


def set_gpu_profile(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, rules: GpuRules, actor: Actor, *, project_id: str, profile: GpuProfile, now: datetime
) -> ProjectGpu:
    """Say what a project may ask for. Operators. Raises `Denied`, `NotFound`."""
    event = intent(Action.GPU_PROFILE, actor, ("project", project_id), project=project_id)
    with store.write(event) as tx:
        found = load_project(tx.session, project_id, lock=True)
        acting = present(tx.session, actor, now)
        policy.check_may_manage(acting)
        tx.record(details={"profile": profile.value, "before": queries.profile_of(tx.session, project_id).value})
        tx.session.merge(GpuShare(project_id=project_id, profile=profile, set_by=acting.account_id, set_at=now))
        tx.session.flush()
        return queries.project_gpu(tx.session, rules, found, acting, now)


def request_lease(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, rules: GpuRules, actor: Actor, *, project_id: str, minutes: int, now: datetime
) -> LeaseView:
    """Take a place in the queue. Members of an active project with a profile.

    Raises `Denied` (`gpu.no-profile`, …), `Invalid` (`gpu.minutes`), `Conflict` (`gpu.already-asked`), `NotFound`.
    """
    new = new_id("g")
    with store.write(intent(Action.GPU_REQUEST, actor, ("gpu_lease", new), project=project_id)) as tx:
        project = load_project(tx.session, project_id)
        acting = present(tx.session, actor, now)
        profile = queries.profile_of(tx.session, project_id)
        policy.check_may_use(acting, facts(project), project.state, profile, now)
        _check_minutes(minutes, rules)
        _check_no_other(tx.session, acting)
        found = GpuLease(id=new, project_id=project_id, account_id=acting.account_id, kind=GpuKind(profile.value))
        found.minutes, found.state, found.requested_at, found.reason = minutes, LeaseState.WAITING, now, ""
        tx.session.add(found)
        tx.session.flush()
        tx.record(details={"kind": found.kind.value, "minutes": minutes})
        return lease_view(tx.session, rules, found, acting, now)


def grant_leases(store: Store, rules: GpuRules, *, now: datetime) -> tuple[LeaseView, ...]:
    """Give every clean, free device to whoever is next; one entry for each. Raises `Unavailable`, `Conflict`."""
    granted: list[LeaseView] = []
    while True:
        with store.read() as session:
            following = _following(session, rules, now)
        if following is None:
            return tuple(granted)
        granted.append(_grant(store, rules, following[0].id, now))


def _grant(store: Store, rules: GpuRules, lease_id: str, now: datetime) -> LeaseView:
    system = Actor.system()
    with store.write(intent(Action.GPU_GRANT, system, ("gpu_lease", lease_id))) as tx:
        # Whoever grants holds all devices: two grants at once see each other's choice.
        tx.session.scalars(select(GpuDevice).order_by(GpuDevice.uuid).with_for_update()).all()
        following = _following(tx.session, rules, now)
        if following is None or following[0].id != lease_id:
            raise _changed()
        found, device = load_lease(tx.session, lease_id, lock=True), following[1]
        check_transition(LEASE, found.state, LeaseState.GRANTED, f"GPU {lease_id}")
        found.state, found.granted_at, found.device_uuid = LeaseState.GRANTED, now, device.uuid
        found.expires_at, found.claim_by = now + timedelta(minutes=found.minutes), now + rules.claim
        tx.session.flush()
        tx.record(project=found.project_id, details={"device": device.uuid, "minutes": found.minutes})
        return lease_view(tx.session, rules, found, system, now)


def release_lease(store: Store, rules: GpuRules, actor: Actor, *, lease_id: str, now: datetime) -> LeaseView:
    """Leave the queue, or give the device back; a running workspace with it is then stopped.

    Its holder, the project lead, an operator. Raises `Denied`, `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.GPU_RELEASE, actor, ("gpu_lease", lease_id))) as tx:
        found = load_lease(tx.session, lease_id, lock=True)
        tx.record(project=found.project_id)
        acting = present(tx.session, actor, now)
        policy.check_may_release(acting, account_id=found.account_id, lead_id=found.project.lead_id)
        _end(found, "released", now)
        return lease_view(tx.session, rules, found, acting, now)


def expire_leases(
    store: Store, rules: GpuRules, *, now: datetime, seen: Mapping[str, str] | None = None
) -> tuple[LeaseView, ...]:
    """End every turn whose time is over, that nobody took up, or whose right or workspace is gone; one entry each.

    `seen`: which workspace's container has which device, as the gate sees it; None if the gate was not asked.
    """
    with store.read() as session:
        query = select(GpuLease).where(GpuLease.state.in_([LeaseState.WAITING, LeaseState.GRANTED]))
        found = session.scalars(query.order_by(GpuLease.id)).all()
        due = [each.id for each in found if reason_to_end(lease_facts(session, each, seen, now), rules, now)]
    return tuple(_expire(store, rules, each, now=now, seen=seen) for each in due)


def _expire(
    store: Store, rules: GpuRules, lease_id: str, *, now: datetime, seen: Mapping[str, str] | None
) -> LeaseView:
    system = Actor.system()
    with store.write(intent(Action.GPU_END_REQUESTED, system, ("gpu_lease", lease_id))) as tx:
        found = load_lease(tx.session, lease_id, lock=True)
        reason = reason_to_end(lease_facts(tx.session, found, seen, now), rules, now)
        if not reason:
            raise _changed()
        _end(found, reason, now)
        tx.record(project=found.project_id, reason_code=f"gpu.{reason}")
        return lease_view(tx.session, rules, found, system, now)


def warn_leases(store: Store, rules: GpuRules, *, now: datetime) -> tuple[LeaseView, ...]:
    """Announce the end of each turn that is over in ten minutes; once, with an entry."""
    with store.read() as session:
        query = select(GpuLease.id).where(
            GpuLease.state == LeaseState.GRANTED, GpuLease.warned_at.is_(None), GpuLease.expires_at <= now + WARNING
        )
        due = session.scalars(query.order_by(GpuLease.id)).all()
    return tuple(_warn(store, rules, each, now) for each in due)


def _warn(store: Store, rules: GpuRules, lease_id: str, now: datetime) -> LeaseView:
    system = Actor.system()
    with store.write(intent(Action.GPU_WARN, system, ("gpu_lease", lease_id))) as tx:
        found = load_lease(tx.session, lease_id, lock=True)
        if found.state is not LeaseState.GRANTED or found.warned_at is not None:
            raise _changed()
        found.warned_at = now
        tx.record(project=found.project_id)
        return lease_view(tx.session, rules, found, system, now)


def finish_lease(store: Store, rules: GpuRules, actor: Actor, *, lease_id: str, now: datetime) -> LeaseView:
    """Record that nothing runs with the device any more and nothing can start with it; its memory must be erased now.

    The portal, after the gate has said so (system). Raises `Denied`, `NotFound`, `Conflict` (`gpu.plan-open` while a
    signed plan that names the device could still be started).
    """
    with store.write(intent(Action.GPU_END_DONE, actor, ("gpu_lease", lease_id))) as tx:
        policy.check_system(actor)
        tx.session.scalars(select(GpuDevice).order_by(GpuDevice.uuid).with_for_update()).all()
        found = load_lease(tx.session, lease_id, lock=True)
        tx.record(project=found.project_id)
        check_transition(LEASE, found.state, LeaseState.ENDED, f"GPU {lease_id}")
        _check_no_open_plan(found, now)
        found.state, found.ended_at = LeaseState.ENDED, now
        if found.device is not None and found.granted_at is not None:
            found.device.scrub_round = new_id("r")
            if found.device.state is DeviceState.READY:
                found.device.state = DeviceState.DIRTY
            seconds = int((now - found.granted_at).total_seconds())
            tx.record(details={"device": found.device.uuid, "seconds": seconds})
        tx.session.flush()
        return lease_view(tx.session, rules, found, actor, now)


def _end(found: GpuLease, reason: str, now: datetime) -> None:
    after = LeaseState.ENDED if found.state is LeaseState.WAITING else LeaseState.ENDING
    check_transition(LEASE, found.state, after, f"GPU {found.id}")
    found.state, found.reason = after, reason
    if after is LeaseState.ENDED:
        found.ended_at = now


def _following(session: Session, rules: GpuRules, now: datetime) -> tuple[GpuLease, GpuDevice] | None:
    """Return who is next and with which device, the smallest that is free and clean; None if there is no such pair."""
    free = _free(session, now)
    for wish in queries.queue(session, rules, now):
        for device in free:
            if device.kind is wish.kind:
                return load_lease(session, wish.lease_id), device
    return None


def _free(session: Session, now: datetime) -> list[GpuDevice]:
    held = select(GpuDevice).join(GpuLease).where(GpuLease.state.in_(queries.HELD))
    taken = session.scalars(held).all()
    # A slice is part of its parent, so where one of the two is held the other is not free.
    names = {each.uuid for each in taken} | {each.parent for each in taken if each.parent}
    ready = select(GpuDevice).where(GpuDevice.present, GpuDevice.state == DeviceState.READY)
    found = session.scalars(ready.order_by(GpuDevice.memory_bytes, GpuDevice.uuid))
    return [
        each
        for each in found
        if is_fresh(each.scrubbed_at, now) and each.uuid not in names and each.parent not in names
    ]


def _check_minutes(minutes: int, rules: GpuRules) -> None:
    if not SHORTEST_MINUTES <= minutes <= rules.longest_minutes:
        raise Invalid(
            "gpu.minutes",
            ko=f"GPU 사용 시간은 {SHORTEST_MINUTES}분에서 {rules.longest_minutes}분까지입니다.",
            en=f"A GPU can be had for {SHORTEST_MINUTES} to {rules.longest_minutes} minutes.",
            remedy_ko="시간을 고쳐 다시 신청하세요.",
            remedy_en="Ask again with another time.",
        )


def _check_no_other(session: Session, actor: Actor) -> None:
    query = select(GpuLease.id).where(GpuLease.account_id == actor.account_id, GpuLease.state.in_(queries.OPEN))
    if session.scalar(query) is not None:
        raise Conflict(
            "gpu.already-asked",
            ko="이미 GPU를 신청했거나 쓰고 있습니다.",
            en="You are in the queue, or have a GPU already.",
            remedy_ko="한 사람이 한 번에 하나만 신청할 수 있습니다. 먼저 반납하거나 취소하세요.",
            remedy_en="One at a time for each person: give the other back first.",
        )


def _check_no_open_plan(found: GpuLease, now: datetime) -> None:
    if found.plan_until is not None and now < found.plan_until:
        raise Conflict(
            "gpu.plan-open",
            ko="이 장치를 쓰는 시작 계획이 아직 유효합니다.",
            en="A signed plan that names the device could still be started.",
            remedy_ko="잠시 뒤 자동으로 회수됩니다.",
            remedy_en="It is taken back by itself in a while.",
        )


def _changed() -> Conflict:
    return Conflict(
        "gpu.changed",
        ko="그 사이 GPU 대기열이 바뀌었습니다.",
        en="The queue changed meanwhile.",
        remedy_ko="화면을 새로 고치세요.",
        remedy_en="Reload the page.",
    )
