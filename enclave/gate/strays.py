"""Containers that nobody answers for: without a plan, with a revoked one, or unknown to the hub. They are removed.

A hub asks about each of its workspaces every half minute, through the engine filter. While it answers at its port and
yet has not asked about one for long, it does not know it any more: its database was lost, or it died while starting.
While the hub is away nothing can be told, and what runs goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.errors import EnclaveError, Unavailable
from enclave.gate.dockerd import Dockerd
from enclave.gate.plans import Plans
from enclave.gate.spool import Spool
from enclave.workspace.engine import LABEL_PLAN, LABEL_WORKSPACE

LOG = logging.getLogger("ansim.gate.strays")
KIND = "stray-removed"
SWEEP_S, CONNECT_S = 5, 2


@dataclass(frozen=True)
class Enclave:
    """Which containers are ours (they mount something below `home`), where the hub listens, how long is too long."""

    home: Path
    hub_port: int
    unasked_s: float


class Strays:
    """Looks for strays; `closed` is told of each workspace whose container goes."""

    def __init__(  # noqa: PLR0913 - keyword-only: what it is told once
        self,
        docker: Dockerd,
        plans: Plans,
        spool: Spool,
        *,
        enclave: Enclave,
        closed: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._docker, self._plans, self._spool = docker, plans, spool
        self._enclave, self._closed, self._clock = enclave, closed, clock
        self._asked: dict[str, float] = {}
        self._told: set[str] = set()
        self._hub_since: float | None = None

    def asked(self, workspace_id: str) -> None:
        """Remember that the hub asked about a workspace just now."""
        self._asked[workspace_id] = self._clock()

    async def keep(self) -> None:
        """Look for ever. An engine that is away is asked again."""
        while True:
            await asyncio.sleep(SWEEP_S)
            with suppress(Unavailable):
                await self.step()

    async def step(self) -> list[str]:
        """Remove what is a stray now; returns why, by container. Raises `Unavailable` without the engine."""
        await self._look_at_hub()
        found = [each for each in await self._docker.workspaces(everything=True) if self._is_ours(each)]
        here = {each["Labels"][LABEL_WORKSPACE] for each in found}
        self._told &= {each["Id"] for each in found}
        self._asked = {name: at for name, at in self._asked.items() if name in here}
        done = []
        for container in found:
            if why := self._why(container):
                await self._remove(container, why)
                done.append(why)
        return done

    def _is_ours(self, container: dict[str, Any]) -> bool:
        home = f"{self._enclave.home}/"
        return any(str(mount.get("Source", "")).startswith(home) for mount in container.get("Mounts", []))

    def _why(self, container: dict[str, Any]) -> str:
        """Return why nobody answers for a container, or nothing."""
        workspace_id = container["Labels"][LABEL_WORKSPACE]
        if self._plans.known(workspace_id, container["Labels"].get(LABEL_PLAN, "")) is None:
            return "no-plan"
        try:
            self._plans.check_in_force(workspace_id)
        except EnclaveError:
            return "revoked"
        now = self._clock()
        # The first look counts as a question: a gate that restarts knows of none.
        last = self._asked.setdefault(workspace_id, now)
        if self._hub_since is None or now - max(last, self._hub_since) < self._enclave.unasked_s:
            return ""
        return "unknown-to-the-hub"

    async def _look_at_hub(self) -> None:
        try:
            way = asyncio.open_connection("127.0.0.1", self._enclave.hub_port)
            _, writer = await asyncio.wait_for(way, CONNECT_S)
            writer.close()
        except (OSError, TimeoutError):
            self._hub_since = None
        else:
            self._hub_since = self._clock() if self._hub_since is None else self._hub_since

    async def _remove(self, container: dict[str, Any], why: str) -> None:
        workspace_id = container["Labels"][LABEL_WORKSPACE]
        LOG.warning("the container of workspace %s is removed: %s", workspace_id, why)
        try:
            # Once, however often an engine that hangs has to be asked.
            if container["Id"] not in self._told:
                self._spool.put(workspace_id, KIND, {"why": why, "state": str(container.get("State", ""))})
                self._told.add(container["Id"])
        except (EnclaveError, OSError) as error:
            # Stopping never waits for the record.
            LOG.error("the removal of a stray could not be put down: %s", error)  # noqa: TRY400 - no defect of ours
        self._closed(workspace_id)
        await self._docker.remove(container["Id"])
        self._asked.pop(workspace_id, None)
