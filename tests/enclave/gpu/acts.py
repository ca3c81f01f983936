"""What the tests of the queue do again and again, all of it through the commands."""

from __future__ import annotations

from datetime import datetime, timedelta

from enclave.actor import Actor
from enclave.commands import gpu, gpu_device
from enclave.commands import workspace as workspaces
from enclave.commands.gpu_device import Evidence
from enclave.gpu.devices import Device, GpuKind, GpuProfile
from enclave.gpu.rules import GpuRules
from enclave.queries.gpu import LeaseView
from tests.enclave.scene import NOW, Scene

RULES = GpuRules()
SYSTEM = Actor.system()
CLEAN = Evidence(total=100, tested=98, left_over=7, not_cleared=0, milliseconds=5, reason="")


def device(number: int, kind: GpuKind = GpuKind.WHOLE, parent: str = "") -> Device:
    prefix = "GPU" if kind is GpuKind.WHOLE else "MIG"
    return Device(f"{prefix}-{number:08x}-0000-0000-0000-000000000000", kind, 40 << 30, parent, "A100")


def scrubbed(scene: Scene, now: datetime = NOW, evidence: Evidence = CLEAN) -> int:
    tasks = gpu_device.to_scrub(scene.store, now=now)
    for task in tasks:
        gpu_device.settle_scrub(scene.store, SYSTEM, task=task, evidence=evidence, now=now)
    return len(tasks)


def equipped(scene: Scene, *devices: Device, now: datetime = NOW) -> None:
    """A host with exactly these devices, all of them clean."""
    gpu_device.note_devices(scene.store, SYSTEM, found=devices)
    scrubbed(scene, now)


def profiled(scene: Scene, profile: GpuProfile = GpuProfile.WHOLE, **changes: object) -> str:
    """An active project that may ask for this kind; `lead` and `scientist` have signed."""
    made = scene.active(**changes)
    gpu.set_gpu_profile(scene.store, RULES, scene.actor("operator"), project_id=made, profile=profile, now=NOW)
    return made


def asked(scene: Scene, login: str, project_id: str, *, minutes: int = 60, now: datetime = NOW) -> LeaseView:
    actor = scene.actor(login, now=now)
    return gpu.request_lease(scene.store, RULES, actor, project_id=project_id, minutes=minutes, now=now)


def granted(scene: Scene, now: datetime = NOW) -> list[str]:
    return [view.id for view in gpu.grant_leases(scene.store, RULES, now=now)]


def ended(scene: Scene, lease_id: str, now: datetime) -> LeaseView:
    return gpu.finish_lease(scene.store, RULES, SYSTEM, lease_id=lease_id, now=now)


def started(scene: Scene, login: str, project_id: str, now: datetime = NOW) -> workspaces.Start:
    start = workspaces.request_start(
        scene.store, scene.means, scene.actor(login, now=now), project_id=project_id, now=now
    )
    workspaces.mark_started(scene.store, SYSTEM, workspace_id=start.workspace.id, container_id="c" * 64, now=now)
    return start


def after(**time: int) -> datetime:
    return NOW + timedelta(**time)
