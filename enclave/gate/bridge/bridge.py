"""The bridge topology as the rest of the gate sees it: prepare a plan's network, place a container, admit it.

Nothing of a bridge plan is served before the self-test has passed once in this process; a failed one is made again
at the next try. Where the installation is sealed, every bridge plan is refused.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from enclave.errors import Denied, EnclaveError
from enclave.gate.bridge.firewall import Firewall
from enclave.gate.bridge.gateways import Gateways
from enclave.gate.bridge.networks import Addresses, Network, Networks, tag_of
from enclave.gate.bridge.selftest import Probe
from enclave.gate.dockerd import Dockerd
from enclave.gate.spool import Spool
from enclave.gate.wire import Handler
from enclave.settings import Settings
from enclave.workspace.engine import HUB_PORT, LABEL_WORKSPACE, PORTAL_PORT, placed
from enclave.workspace.plan import WorkspacePlan
from enclave.workspace.topology import Topology

LOG = logging.getLogger("ansim.gate.bridge")
DOORS = (HUB_PORT, PORTAL_PORT)
RENEW_S = 10


class Bridge:
    """Networks, rules, doors and self-test of one enclave."""

    def __init__(self, settings: Settings, docker: Dockerd, spool: Spool) -> None:
        self._settings, self._docker, self._spool = settings, docker, spool
        self._networks = Networks(docker, settings.home, settings.bridge_subnets)
        self._addresses = Addresses(settings.volumes)
        self._firewall = Firewall(tag_of(settings.home), DOORS)
        self._gateways = Gateways(DOORS)
        self._testing = asyncio.Lock()
        self._holds = False
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Close what exists, then test it; says in the log whether bridge plans are served."""
        if self._settings.topology == Topology.BRIDGE:
            self._keeping = asyncio.create_task(self.keep())
            # Said in the log; a later plan tries again.
            try:
                await self._test()
            except EnclaveError as error:
                LOG.warning("no workspace is served yet: %s", error.en)

    async def prepare(self, plan: WorkspacePlan) -> None:
        """Have the plan's network ready and closed. Raises `Denied` (`gate.topology-open`), `Unavailable`."""
        if plan.network:
            await self._test()
            await self._open(plan.network)

    async def place(self, body: bytes) -> bytes:
        """Return a create body with the address that the workspace has, and with the doors' address by name."""
        asked: dict[str, Any] = json.loads(body)
        name, workspace_id = asked["HostConfig"]["NetworkMode"], asked["Labels"][LABEL_WORKSPACE]
        if name == "none":
            return body
        await self._test()
        network = await self._networks.ensure(name)
        address = self._addresses.take(workspace_id, network)
        return json.dumps(placed(asked, address, network.gateway)).encode()

    async def admit(self, plan: WorkspacePlan, state: Mapping[str, Any], doors: Mapping[int, Handler]) -> str:
        """Open the doors to a running container (`state`: as the engine describes it); returns its address.

        Raises `Denied` unless it is on its plan's network alone, at its own address, and the topology holds.
        """
        await self.prepare(plan)
        network = await self._networks.ensure(plan.network)
        address = self._addresses.take(plan.workspace_id, network)
        found = {name: each["IPAddress"] for name, each in state["NetworkSettings"]["Networks"].items()}
        if found != {plan.network: address}:
            raise _denied("topology", f"{plan.workspace_id}: {found}")
        self._gateways.admit(network, address, doors)
        return address

    def stop(self) -> None:
        """End with the gate; networks and rules stay, as the containers do."""
        if self._keeping:
            self._keeping.cancel()

    def dismiss(self, address: str) -> None:
        """Close the doors to an address."""
        self._gateways.dismiss(address)

    async def let_go(self, name: str) -> None:
        """Remove a network that no workspace uses any more; one with a container on it stays."""
        self._gateways.leave(name)
        await self._networks.remove(name)
        rest = await self._networks.all()
        if name in rest:
            await self._gateways.serve(rest[name])
        await self._close()

    async def keep(self) -> None:
        """Put the rules in force again and again: whoever reloads the host's firewall takes them away."""
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(EnclaveError):
                await self._close()

    async def _close(self) -> None:
        """Put the rules in force for the networks that there are; without any, take them away."""
        networks = (await self._networks.all()).values()
        await asyncio.to_thread(*([self._firewall.apply, networks] if networks else [self._firewall.remove]))

    async def _open(self, name: str) -> Network:
        network = await self._networks.ensure(name)
        await self._close()
        await self._gateways.serve(network)
        return network

    async def _test(self) -> None:
        async with self._testing:
            if self._holds:
                return
            name = f"ansim-selftest-{tag_of(self._settings.home)}"
            try:
                wrong = await Probe(self._docker, self._settings.image, await self._open(name), DOORS).run()
            finally:
                await self.let_go(name)
            details = {"outcome": "failed" if wrong else "done", "found": len(wrong), "first": (wrong or [""])[0][:200]}
            self._spool.put("gate", "topology-tested", details)
            if wrong:
                LOG.error("the bridge topology does not hold, no workspace is served: %s", "; ".join(wrong[:20]))
                raise _denied("topology-open", wrong[0])
            LOG.info("the bridge topology holds: a probe reached the doors and nothing else")
            self._holds = True


async def remove_all(settings: Settings, docker: Dockerd) -> list[str]:
    """Remove this enclave's networks and rules, for an enclave that goes away; returns the names of the networks."""
    networks = Networks(docker, settings.home, settings.bridge_subnets)
    names = list(await networks.all())
    for name in names:
        await networks.remove(name)
    await asyncio.to_thread(Firewall(tag_of(settings.home), DOORS).remove)
    return names


def _denied(what: str, which: str) -> Denied:
    return Denied(
        f"gate.{what}",
        ko=f"과제 네트워크로는 작업공간을 열지 않습니다({what}): {which}",
        en=f"No workspace is served on a project's network ({what}): {which}",
        remedy_ko="운영자가 설정 topology와 게이트 로그의 자체 점검 결과를 확인해야 합니다.",
        remedy_en="The operator looks at the setting topology and at the self-test's result in the gate's log.",
    )
