"""GPUs at the gate: the inventory, the erasing of memory, and who runs with which device.

The gate does this because it is root: device nodes, and the nodes of slices in particular, are root's on a hardened
host, and a portal that could open a device could read a tenant's memory. The vendor's libraries run in programs of
their own with a time limit, never in this process. No rule about people is here: whose turn it is, the portal knows.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import Conflict, Invalid
from enclave.gate.dockerd import Dockerd
from enclave.gate.plans import Plans
from enclave.gpu.devices import Reading
from enclave.workspace.engine import LABEL_PLAN, LABEL_WORKSPACE
from enclave.workspace.plan import GPU_UUID, WorkspacePlan

LOG = logging.getLogger("ansim.gate.gpus")
READ_S, SCRUB_S = 30, 1800
OUTPUT = 1 << 20

Answer = dict[str, Any]


@dataclass
class _Scrub:
    round: str
    task: asyncio.Task[Answer]


@dataclass
class Gpus:
    """What is being erased now or was erased last, by device; a restarted gate has forgotten it, and is asked again."""

    _scrubs: dict[str, _Scrub] = field(default_factory=dict)
    _reading: asyncio.Task[Reading] | None = None
    _read: Reading | None = None

    def read(self) -> Reading | None:
        """Return what the driver said last and have it asked again; nobody waits for a driver that hangs."""
        if self._reading is not None and self._reading.done():
            self._read, self._reading = self._reading.result(), None
        if self._reading is None:
            self._reading = asyncio.create_task(_inventory())
        return self._read

    def scrub(self, uuid: str, number: str, holders: dict[str, str]) -> Answer:
        """Begin to erase a device, or say how the erasing of this round went: `{state: running | done, report}`.

        Raises `Conflict` (`gate.gpu-held`) while a container runs with it or another round is under way.
        """
        if not GPU_UUID.fullmatch(uuid):
            raise _no_device(uuid)
        known = self._scrubs.get(uuid)
        if known is None or known.round != number:
            if uuid in holders or (known is not None and not known.task.done()):
                raise held(uuid)
            known = _Scrub(number, asyncio.create_task(self._erase(uuid)))
            self._scrubs[uuid] = known
        return {"state": "done", "report": known.task.result()} if known.task.done() else {"state": "running"}

    def check_not_scrubbing(self, uuid: str) -> None:
        """Raise `Conflict` (`gate.gpu-held`) while the device is being erased."""
        known = self._scrubs.get(uuid)
        if known is not None and not known.task.done():
            raise held(uuid)

    async def _erase(self, uuid: str) -> Answer:
        LOG.info("erasing %s", uuid)
        report = await _program("enclave.gpu.scrub", uuid, seconds=SCRUB_S, visible=uuid)
        LOG.info("erased %s: %s", uuid, report.get("reason") or report.get("problem") or "clean")
        return report


async def _inventory() -> Reading:
    said = await _program("enclave.gpu.nvml", seconds=READ_S)
    try:
        return Reading.from_json(said)
    except (ValueError, TypeError, KeyError) as error:
        return Reading(problem=str(said.get("problem") or f"unreadable: {error}")[:200])


async def holders(docker: Dockerd, plans: Plans) -> dict[str, str]:
    """Return which workspace's container runs with which device, from the plans that the containers name."""
    found: dict[str, str] = {}
    for state in await docker.workspaces():
        labels = state.get("Labels") or {}
        plan = plans.known(labels.get(LABEL_WORKSPACE, ""), labels.get(LABEL_PLAN, ""))
        for uuid in plan.gpu_uuids if plan else ():
            found[uuid] = labels[LABEL_WORKSPACE]
    return found


async def check_devices_free(docker: Dockerd, plans: Plans, gpus: Gpus, plan: WorkspacePlan) -> None:
    """Raise `Conflict` unless no other workspace runs with a device of this plan and none is being erased.

    Who may have it was decided before; this is the second lock on one device, one tenant.
    """
    if not plan.gpu_uuids:
        return
    taken = await holders(docker, plans)
    for uuid in plan.gpu_uuids:
        gpus.check_not_scrubbing(uuid)
        if taken.get(uuid, plan.workspace_id) != plan.workspace_id:
            raise held(uuid)


async def _program(module: str, *arguments: str, seconds: int, visible: str = "") -> Answer:
    """Run one of our programs beside this process and return its JSON; whatever goes wrong is its `problem`."""
    environment = dict(os.environ)
    if visible:
        environment |= {"CUDA_VISIBLE_DEVICES": visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    # -I: nothing of the surroundings decides which code runs as root.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        module,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=OUTPUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
        values: Answer = json.loads(output)
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"problem": "timeout"}
    except ValueError:
        return {"problem": f"ended with {process.returncode}"}
    return values


def held(uuid: str) -> Conflict:
    """Say that a device is in use."""
    return Conflict(
        "gate.gpu-held",
        ko=f"GPU {uuid}은(는) 다른 작업공간이 쓰고 있거나 소거 중입니다.",
        en=f"GPU {uuid} is used by another workspace, or is being erased.",
        remedy_ko="잠시 뒤 다시 여세요. 계속되면 운영자에게 알려 주십시오.",
        remedy_en="Open it again in a while. If it persists tell the operator.",
    )


def _no_device(uuid: str) -> Invalid:
    return Invalid(
        "gate.gpu-name",
        ko=f"GPU 이름이 아닙니다: {uuid[:60]!a}",
        en=f"Not the name of a GPU: {uuid[:60]!a}",
        remedy_ko="게이트와 포털의 판이 같은지 확인하십시오.",
        remedy_en="Check that gate and portal are of one version.",
    )
