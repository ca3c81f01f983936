"""What the gate does with volumes: prepare, read, put away, destroy. One at a time, so that no two mount the same.

Reading is for the portal alone: a frozen workspace has no kernel, and its owner may still see and ask for their files.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from enclave.errors import Conflict, EnclaveError, Invalid
from enclave.gate.collector import Owner, collect
from enclave.gate.dockerd import Dockerd
from enclave.gate.limits import CollectLimits
from enclave.gate.listing import listing
from enclave.gate.plans import Plans
from enclave.gate.volumes import NAMES, Keys, Volumes
from enclave.workspace.plan import WorkspacePlan, container_of

LOG = logging.getLogger("ansim.gate.storage")
TIDY_S = 15

Answer = dict[str, Any]


class Storage:
    """The volumes of all workspaces; copies go to `staging` and belong to `owner`."""

    def __init__(self, volumes: Volumes, staging: Path, owner: Owner) -> None:
        self._volumes, self._staging, self._owner = volumes, staging, owner
        self._one = asyncio.Lock()
        self._held: set[str] = set()

    def hold(self, workspace_id: str) -> None:
        """Leave these volumes mounted, whatever no plan says, until `let_go`."""
        self._held.add(workspace_id)

    def let_go(self, workspace_id: str) -> None:
        """Treat these volumes as all others again."""
        self._held.discard(workspace_id)

    async def prepare(self, plan: WorkspacePlan, keys: Keys) -> None:
        """Make and mount a workspace's volumes as its plan says; raises what `Volumes.ensure` raises."""
        sizes = {"home_bytes": plan.home_bytes, "outbox_bytes": plan.outbox_bytes}
        async with self._one:
            await asyncio.to_thread(self._volumes.ensure, plan.workspace_id, **sizes, keys=keys)

    async def collect(self, workspace_id: str, body: Answer) -> Answer:
        """Copy files out of one volume, by `names`, within `limits`; with `keys` also while nothing runs."""
        limits = CollectLimits(**{key: int(value) for key, value in body["limits"].items()})
        names = [str(name) for name in body["names"]]
        place = self._volumes.place(workspace_id, _volume(body.get("volume", "outbox")))

        def act() -> Answer:
            """Copy them."""
            files = collect(place, self._staging, names, limits=limits, owner=self._owner)
            return {"files": [{key: _plain(value) for key, value in asdict(file).items()} for file in files]}

        return await self._reading(workspace_id, body, act)

    async def files(self, workspace_id: str, body: Answer) -> Answer:
        """List the files of both volumes that could be collected."""

        def act() -> Answer:
            """Look into both."""
            found = {name: listing(self._volumes.place(workspace_id, name)) for name in NAMES}
            return {
                "files": [{"volume": name, **asdict(file)} for name, (files, _) in found.items() for file in files],
                "left_out": sum(left_out for _, left_out in found.values()),
            }

        return await self._reading(workspace_id, body, act)

    async def remove(self, workspace_id: str) -> None:
        """Destroy a workspace's volumes; raises `Conflict` while they are in use."""
        async with self._one:
            await asyncio.to_thread(self._volumes.remove, workspace_id)

    async def put_away(self, workspace_id: str, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Unmount volumes, so that the kernel forgets their keys; those in use stay, and the log says so."""
        async with self._one:
            if unless():
                return
            try:
                await asyncio.to_thread(self._volumes.unmount, workspace_id)
            except Conflict:
                LOG.warning("the volumes of workspace %s are still in use", workspace_id)

    async def tidy(self, docker: Dockerd, plans: Plans, now: datetime) -> None:
        """Unmount what belongs to no container and to no plan that could still start one."""
        for workspace_id in await asyncio.to_thread(self._volumes.mounted):
            if workspace_id in self._held or plans.may_start(workspace_id, now):
                continue
            state = await docker.inspect(container_of(workspace_id))
            if state is None or not state["State"]["Running"]:
                # Asked again under the lock: a plan may have come in force while the engine was asked.
                await self.put_away(workspace_id, unless=partial(plans.may_start, workspace_id, now))

    async def keep(self, docker: Dockerd, plans: Plans, clock: Callable[[], datetime]) -> None:
        """Tidy for ever."""
        while True:
            await asyncio.sleep(TIDY_S)
            try:
                await self.tidy(docker, plans, clock())
            except (EnclaveError, OSError) as error:  # the engine is away: nothing can be told
                LOG.warning("volumes are not tidied: %s", error)

    async def _reading(self, workspace_id: str, body: Answer, act: Callable[[], Answer]) -> Answer:
        keys = read_keys(body["keys"]) if "keys" in body else None

        def read() -> Answer:
            with self._volumes.reading(workspace_id, keys):
                return act()

        if keys is None:  # mounted already: a long copy must not keep others from starting
            return await asyncio.to_thread(read)
        async with self._one:
            return await asyncio.to_thread(read)


def read_keys(values: Mapping[str, str]) -> Keys:
    """Return the keys of a command's body; raises `Invalid` without saying anything of what was sent."""
    try:
        return {str(name): base64.b64decode(value, validate=True) for name, value in values.items()}
    except (binascii.Error, ValueError, TypeError, AttributeError):
        raise _not_keys() from None


def _volume(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"no volume {name[:20]!a}")
    return name


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _not_keys() -> Invalid:
    return Invalid(
        "gate.malformed",
        ko="볼륨 키의 형식이 잘못되었습니다.",
        en="The volumes' keys are malformed.",
        remedy_ko="게이트와 포털의 판이 같은지 확인하십시오.",
        remedy_en="Check that gate and portal are of one version.",
    )
