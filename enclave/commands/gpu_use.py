"""How a start takes up the device its person was granted: part of `request_start`, in its transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.errors import Conflict, Invalid
from enclave.model.gpu import GpuLease
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.queries.gpu_facts import lease_facts
from enclave.settings import Settings
from enclave.states import LeaseState
from enclave.store import Tx
from enclave.workspace.plan import GPU_DRIVER, WorkspacePlan


def usable(session: Session, acting: Actor, project: Project, now: datetime) -> GpuLease | None:
    """Return the turn that this start may use, locked; None opens the workspace without a device."""
    query = select(GpuLease).where(
        GpuLease.account_id == acting.account_id,
        GpuLease.project_id == project.id,
        GpuLease.state == LeaseState.GRANTED,
        GpuLease.expires_at > now,
    )
    found = session.scalar(query.with_for_update())
    if found is None or found.device is None:
        return None
    facts = lease_facts(session, found, None, now)
    return found if facts.entitled and facts.present else None


def equipped(plan: WorkspacePlan, lease: GpuLease | None, settings: Settings) -> WorkspacePlan:
    """Return the plan with the lease's device and the image for it; raises `Invalid` for an unknown `gpu_injection`."""
    if lease is None or lease.device_uuid is None:
        return plan
    if not GPU_DRIVER.fullmatch(settings.gpu_injection):
        raise _unknown_injection(settings.gpu_injection)
    image = settings.gpu_image or plan.image_id
    return replace(plan, gpu_uuids=(lease.device_uuid,), gpu_driver=settings.gpu_injection, image_id=image)


def note(tx: Tx, lease: GpuLease | None, found: Workspace, plan: WorkspacePlan) -> None:
    """Remember which plan has the device and until when it can be started: before that the device is not let go."""
    if lease is None or lease.device_uuid is None:
        return
    lease.workspace_id, lease.plan_sha256, lease.plan_until = found.id, plan.sha256, plan.expires_at
    tx.record(details={"gpu": lease.device_uuid, "gpu_lease": lease.id})


def check_renewable(session: Session, plan: WorkspacePlan) -> None:
    """Raise `Conflict` (`gpu.turn-over`) unless the devices of a plan that is signed anew are still this workspace's.

    Until the renewed plan ends, its device is not let go either.
    """
    for uuid in plan.gpu_uuids:
        query = select(GpuLease).where(GpuLease.device_uuid == uuid, GpuLease.state == LeaseState.GRANTED)
        found = session.scalar(query.with_for_update())
        if found is None or found.workspace_id != plan.workspace_id:
            raise _turn_over()
        found.plan_until = max(found.plan_until or plan.expires_at, plan.expires_at)


def _turn_over() -> Conflict:
    return Conflict(
        "gpu.turn-over",
        ko="이 작업공간의 GPU 사용이 끝나 회수 중입니다.",
        en="This workspace's turn at the GPU is over.",
        remedy_ko="작업공간을 다시 여세요.",
        remedy_en="Open the workspace again.",
    )


def _unknown_injection(said: str) -> Invalid:
    return Invalid(
        "gpu.injection",
        ko=f"gpu_injection 설정은 nvidia 또는 cdi여야 합니다: {said[:40]!a}",
        en=f"The setting gpu_injection must be nvidia or cdi: {said[:40]!a}",
        remedy_ko="운영자에게 설정을 고쳐 달라고 하세요.",
        remedy_en="Ask the operator to mend the settings.",
    )
