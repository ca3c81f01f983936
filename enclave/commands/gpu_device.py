"""The devices themselves: which there are, whether their memory was erased, and putting one back into service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.errors import Conflict, NotFound
from enclave.gpu.devices import Device
from enclave.gpu.rules import is_fresh
from enclave.ids import new_id
from enclave.model.gpu import GpuDevice, GpuLease
from enclave.policy import gpu as policy
from enclave.queries.gpu import HELD
from enclave.states import DEVICE, DeviceState, LeaseState, check_transition
from enclave.store import Store


@dataclass(frozen=True)
class ScrubTask:
    """One device whose memory must be erased before anybody gets it, and the round that the report must name."""

    uuid: str
    round: str


@dataclass(frozen=True)
class Evidence:
    """What an erasure found and did, in bytes; `reason` is empty when the memory was clean afterwards."""

    total: int
    tested: int
    left_over: int
    not_cleared: int
    milliseconds: int
    reason: str

    @property
    def clean(self) -> bool:
        """Whether everything that was tested was zero afterwards, and something was tested."""
        return not self.reason and self.tested > 0 and self.not_cleared == 0


def note_devices(store: Store, actor: Actor, *, found: Sequence[Device]) -> bool:
    """Take in what the driver named; returns whether anything changed. The portal (system). Raises `Denied`.

    A new device, or one that comes back, is dirty; one that is gone keeps its row. Without a change, no entry.
    """
    with store.read() as session:
        if not _differs(session, found):
            return False
    with store.write(intent(Action.GPU_DEVICES, actor, ("gpu_device", "all"))) as tx:
        policy.check_system(actor)
        known = {each.uuid: each for each in tx.session.scalars(select(GpuDevice).order_by(GpuDevice.uuid))}
        named = {each.uuid for each in found}
        for each in found:
            _take_in(tx.session, known.get(each.uuid), each)
        for uuid, row in known.items():
            row.present = uuid in named
        tx.record(details={"devices": len(found), "gone": len(known.keys() - named)})
        return True


def to_scrub(store: Store, *, now: datetime) -> tuple[ScrubTask, ...]:
    """Return the free devices that must be erased: dirty ones, and idle ones of a kind that somebody waits for."""
    with store.read() as session:
        held = select(GpuLease.device_uuid).where(GpuLease.state.in_(HELD))
        wanted = set(session.scalars(select(GpuLease.kind).where(GpuLease.state == LeaseState.WAITING)))
        query = select(GpuDevice).where(GpuDevice.present, GpuDevice.uuid.not_in(held)).order_by(GpuDevice.uuid)
        rows = session.scalars(query).all()
        return tuple(
            ScrubTask(each.uuid, each.scrub_round)
            for each in rows
            if each.state is DeviceState.DIRTY or (each.kind in wanted and _is_stale(each, now))
        )


def settle_scrub(store: Store, actor: Actor, *, task: ScrubTask, evidence: Evidence, now: datetime) -> DeviceState:
    """Record an erasure with its evidence: the device is ready, or taken out of service. The portal (system).

    Raises `Denied`, `NotFound`, `Conflict` (the report is of an earlier round; somebody holds the device).
    """
    with store.write(intent(Action.GPU_SCRUB, actor, ("gpu_device", task.uuid))) as tx:
        policy.check_system(actor)
        found = _load(tx.session, task.uuid)
        _check_round(tx.session, found, task)
        tx.record(
            details={
                "bytes_total": evidence.total,
                "bytes_tested": evidence.tested,
                "bytes_left_over": evidence.left_over,
                "bytes_not_cleared": evidence.not_cleared,
                "milliseconds": evidence.milliseconds,
            }
        )
        if found.state is DeviceState.READY:
            found.state = DeviceState.DIRTY
        after = DeviceState.READY if evidence.clean else DeviceState.QUARANTINED
        check_transition(DEVICE, found.state, after, f"GPU {task.uuid}")
        found.state, found.scrub_round, found.reason = after, new_id("r"), evidence.reason[:200]
        if evidence.clean:
            found.scrubbed_at = now
        else:
            tx.record(outcome="failed", reason_code="gpu.not-clean")
        return after


def return_to_service(store: Store, actor: Actor, *, uuid: str, reason: str, now: datetime) -> DeviceState:
    """Let a device that was taken out of service be erased once more, and used if it is clean then. Operators.

    Raises `Denied`, `NotFound`, `Conflict`, `Invalid` (no reason given).
    """
    with store.write(intent(Action.GPU_SERVICE, actor, ("gpu_device", uuid))) as tx:
        policy.check_may_manage(present(tx.session, actor, now))
        require(("사유", "reason", reason))
        found = _load(tx.session, uuid)
        check_transition(DEVICE, found.state, DeviceState.DIRTY, f"GPU {uuid}")
        found.state, found.scrub_round, found.reason = DeviceState.DIRTY, new_id("r"), ""
        tx.record(details={"reason_sha256": text_sha256(reason)})
        return found.state


def _differs(session: Session, found: Sequence[Device]) -> bool:
    rows = session.scalars(select(GpuDevice).where(GpuDevice.present))
    return {_facts(each) for each in rows} != {_facts(each) for each in found}


def _facts(one: GpuDevice | Device) -> tuple[object, ...]:
    return one.uuid, one.kind, one.memory_bytes, one.parent, one.name, one.profile


def _take_in(session: Session, row: GpuDevice | None, found: Device) -> None:
    if row is None:
        row = GpuDevice(uuid=found.uuid, state=DeviceState.DIRTY, scrub_round=new_id("r"), reason="", present=True)
        session.add(row)
    elif not row.present and row.state is DeviceState.READY:
        row.state, row.scrub_round = DeviceState.DIRTY, new_id("r")
    row.kind, row.memory_bytes, row.parent = found.kind, found.memory_bytes, found.parent
    row.name, row.profile = found.name, found.profile


def _is_stale(found: GpuDevice, now: datetime) -> bool:
    return found.state is DeviceState.READY and not is_fresh(found.scrubbed_at, now)


def _load(session: Session, uuid: str) -> GpuDevice:
    found = session.scalar(select(GpuDevice).where(GpuDevice.uuid == uuid).with_for_update())
    if found is None:
        raise NotFound(
            "gpu.no-device",
            ko=f"GPU {uuid[:44]!a}이(가) 없습니다.",
            en=f"There is no GPU {uuid[:44]!a}.",
            remedy_ko="GPU 화면에서 확인하세요.",
            remedy_en="See the GPU page.",
        )
    return found


def _check_round(session: Session, found: GpuDevice, task: ScrubTask) -> None:
    held = select(GpuLease.id).where(GpuLease.device_uuid == task.uuid, GpuLease.state.in_(HELD))
    if found.scrub_round != task.round or session.scalar(held) is not None:
        raise Conflict(
            "gpu.scrub-overtaken",
            ko="그 사이 장치의 상태가 바뀌어 이 소거 결과를 쓰지 않았습니다.",
            en="The device changed meanwhile; this report was not used.",
            remedy_ko="자동으로 다시 소거합니다.",
            remedy_en="It is erased again by itself.",
        )
