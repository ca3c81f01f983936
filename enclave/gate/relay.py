"""The relays into the workspaces: opened when one starts, taken up again when the gate restarts, closed at its end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from enclave.errors import Conflict, EnclaveError, NotFound, Unavailable
from enclave.gate.bridge.bridge import Bridge
from enclave.gate.display_limits import with_newest
from enclave.gate.dockerd import Dockerd
from enclave.gate.door.front import Front
from enclave.gate.inbound import Door, door_handler, hub_door, portal_door
from enclave.gate.netns import hold, listen_inside, socket_inside
from enclave.gate.plans import Plans
from enclave.workspace.engine import LABEL_PLAN, LABEL_WORKSPACE, NOTEBOOK_PORT
from enclave.workspace.plan import WorkspacePlan

LOG = logging.getLogger("ansim.gate.relay")
HOST = "127.0.0.1"
# Below the kernel's ephemeral range, so that a port is still free when a restarted gate wants it back.
PORTS = range(20_000, 32_000)
DRAWN = 100
READY_S, POLL_S, SWEEP_S = 60, 0.1, 5


@dataclass
class Relay:
    """One workspace's relay: the namespace descriptor held for its life, and its servers.

    `address` is its own on a bridge, empty where it is sealed; `leave` lets go of the doors there.
    """

    plan: WorkspacePlan
    container_id: str
    netns: int
    leave: Callable[[], None] = lambda: None
    address: str = ""
    port: int = 0
    servers: list[asyncio.Server] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to the notebook server inside; raises `OSError`."""
        if self.address:
            return await asyncio.open_connection(self.address, NOTEBOOK_PORT)
        link = socket_inside(self.netns)
        try:
            await asyncio.get_running_loop().sock_connect(link, (HOST, NOTEBOOK_PORT))
            return await asyncio.open_connection(sock=link)
        except BaseException:  # a cancelled wait, too, must not leave the socket
            link.close()
            raise

    def close(self) -> None:
        """Close the listeners and let go of the namespace; open connections end with their sockets."""
        for server in self.servers:
            server.close()
        self.leave()
        os.close(self.netns)


class Relays:
    """All open relays, by workspace."""

    def __init__(
        self,
        docker: Dockerd,
        plans: Plans,
        doors: Callable[[WorkspacePlan], list[Door]],
        *,
        front: Front,
        bridge: Bridge,
    ) -> None:
        self._docker, self._plans, self._doors = docker, plans, doors
        self.front, self._bridge = front, bridge
        self._open: dict[str, Relay] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._adopted = False

    async def open(self, workspace_id: str, container_id: str) -> tuple[str, int]:
        """Open the relays into a running container of this workspace and wait for its server.

        Doing it again for the same container answers with the same port. Raises `NotFound` (not ours, or not
        running), `Conflict` (it died, or never answered; with its last lines), `Unavailable`.
        """
        async with self._locks.setdefault(workspace_id, asyncio.Lock()):
            relay = self._open.get(workspace_id)
            if relay is None or relay.container_id != container_id:
                self.close(workspace_id)
                relay = await self._attach(workspace_id, container_id)
                self._open[workspace_id] = relay
            try:
                await self._ready(relay)
            except BaseException:  # a hub that gave up, too, must not leave a relay
                self.close(workspace_id)
                raise
            return HOST, relay.port

    def close(self, workspace_id: str) -> None:
        """Cut a workspace's relays; fine if there are none."""
        if relay := self._open.pop(workspace_id, None):
            relay.close()
            self.front.forget(workspace_id)

    def close_all(self) -> None:
        """Cut all relays (the gate ends; the workspaces go on)."""
        for workspace_id in list(self._open):
            self.close(workspace_id)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return port, container and bytes to the browser of each open relay."""
        return {
            name: {
                "port": relay.port,
                "container_id": relay.container_id,
                "sent_bytes": self.front.sent_bytes(name),
                "meter": self.front.meter(name),
            }
            for name, relay in self._open.items()
        }

    async def step(self) -> None:
        """Take up again what runs already (once), then close the relays of containers that have ended.

        Without the engine nothing can be told: the relays that are open stay open.
        """
        with suppress(Unavailable):
            running = await self._docker.workspaces()
            if not self._adopted:
                for container in running:
                    await self._adopt(container)
                self._adopted = True
            alive = {container["Id"] for container in await self._docker.workspaces()}
            for name, relay in list(self._open.items()):
                if relay.container_id not in alive:
                    self.close(name)

    async def keep(self) -> None:
        """Take steps for ever. Screens are locked in time whatever the engine does."""
        await asyncio.gather(self._keep_screens(), self._keep_relays())

    async def _keep_screens(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.front.sweep()

    async def _keep_relays(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self.step()

    async def _adopt(self, container: dict[str, Any]) -> None:
        """Take up one running container; what is revoked, or cannot be taken up, is stopped."""
        labels, container_id = container["Labels"], container["Id"]
        workspace_id = labels[LABEL_WORKSPACE]
        plan = self._plans.known(workspace_id, labels.get(LABEL_PLAN, ""))
        if plan is None:
            return  # another enclave's, on the same engine
        async with self._locks.setdefault(workspace_id, asyncio.Lock()):
            if workspace_id in self._open:
                return
            try:
                self._plans.check_in_force(workspace_id)
                await self.front.assets.ensure(plan.image_id)
                self._open[workspace_id] = await self._attach(workspace_id, container_id)
                LOG.info("workspace %s taken up again on port %d", workspace_id, self._open[workspace_id].port)
            except (EnclaveError, OSError) as error:
                if isinstance(error, Unavailable):
                    raise
                LOG.warning("workspace %s is stopped: %s", workspace_id, error)
                await self._docker.remove(container_id)

    async def _attach(self, workspace_id: str, container_id: str) -> Relay:
        plan, netns = await self._namespace(workspace_id, container_id)
        relay = Relay(with_newest(self._plans, plan), container_id, netns)
        try:
            # Inside first: user code runs only after the notebook server has imported, so these ports are ours.
            await (self._admit(relay) if plan.network else self._enter(relay))
            await self._listen(relay)
        except (OSError, EnclaveError) as error:
            relay.close()
            if isinstance(error, EnclaveError):
                raise
            if error.errno == errno.EADDRINUSE:
                raise _port_taken(workspace_id) from error
            raise
        return relay

    async def _enter(self, relay: Relay) -> None:
        """Open the doors inside a sealed workspace, on its own loopback."""
        for door in self._doors(relay.plan):
            inside = listen_inside(relay.netns, door.port)
            handler = door_handler(door, relay.plan.workspace_id)
            relay.servers.append(await asyncio.start_server(handler, sock=inside))

    async def _admit(self, relay: Relay) -> None:
        """Open the doors to a workspace on a bridge, at its own address."""
        handlers = {door.port: door_handler(door, relay.plan.workspace_id) for door in self._doors(relay.plan)}
        state = await self._docker.inspect(relay.container_id) or {}
        relay.address = await self._bridge.admit(relay.plan, state, handlers)
        relay.leave = partial(self._bridge.dismiss, relay.address)

    async def _namespace(self, workspace_id: str, container_id: str) -> tuple[WorkspacePlan, int]:
        """Return the plan and a descriptor of the namespace, taken while the container certainly had that pid."""
        state = await self._docker.inspect(container_id)
        labels = (state or {}).get("Config", {}).get("Labels") or {}
        plan = self._plans.known(workspace_id, labels.get(LABEL_PLAN, ""))
        if state is None or plan is None or labels.get(LABEL_WORKSPACE) != workspace_id or state["Id"] != container_id:
            raise _not_ours(workspace_id)
        if not state["State"]["Running"]:
            raise await self._died(workspace_id, container_id)
        try:
            netns = hold(state["State"]["Pid"])
        except OSError as error:
            raise await self._died(workspace_id, container_id) from error
        again = await self._docker.inspect(container_id)
        # A pid may be another's by now, in the worst case a process of the host.
        if again is None or again["State"]["Pid"] != state["State"]["Pid"] or not again["State"]["Running"]:
            os.close(netns)
            raise await self._died(workspace_id, container_id)
        return plan, netns

    async def _listen(self, relay: Relay) -> None:
        """Listen on the host, on the port of last time if there was one and it is free."""
        handler = self.front.handler(relay.plan, relay.connect)
        note = self._plans.roots.volumes / relay.plan.workspace_id / "port"
        taken = {other.port for other in self._open.values()}
        # By lot: two enclaves on one machine must not take each other's ports while one of the gates restarts.
        drawn = secrets.SystemRandom().sample(PORTS, DRAWN)
        wanted = [port for port in [_remembered(note), *drawn] if port and port not in taken]
        for port in wanted:
            with suppress(OSError):
                relay.servers.append(await asyncio.start_server(handler, HOST, port))
                relay.port = port
                note.write_text(str(port))
                return
        raise OSError(errno.EADDRNOTAVAIL, "no free port for a workspace")

    async def _ready(self, relay: Relay) -> None:
        """Wait until the notebook server accepts. The hub's own waiting backs off in steps of up to 5 s."""
        for attempt in range(int(READY_S / POLL_S)):
            with suppress(OSError):
                _, writer = await relay.connect()
                writer.close()
                return
            # Every half second look whether there is anything to wait for.
            if attempt % 5 == 4:  # noqa: PLR2004
                state = await self._docker.inspect(relay.container_id)
                if state is None or not state["State"]["Running"]:
                    break
            await asyncio.sleep(POLL_S)
        raise await self._died(relay.plan.workspace_id, relay.container_id)

    async def _died(self, workspace_id: str, container_id: str) -> Conflict:
        words = await self._docker.last_words(container_id)
        LOG.warning("workspace %s did not come up; its last lines:\n%s", workspace_id, words)
        last = words.strip().splitlines()[-1:] or ["-"]
        return Conflict(
            "gate.workspace-died",
            ko=f"작업공간의 서버가 시작되지 않았습니다. 마지막 출력: {last[0][:300]}",
            en=f"The workspace's server did not come up. Its last line: {last[0][:300]}",
            remedy_ko="다시 시작해 보고, 계속되면 운영자에게 알려 주십시오.",
            remedy_en="Start it again; if it persists tell the operator.",
        )


def doors_of(secret: Path, hub_port: int, portal_port: int) -> Callable[[WorkspacePlan], list[Door]]:
    """Return which doors a workspace gets: to the hub and to the portal, on loopback of the host."""

    def doors(plan: WorkspacePlan) -> list[Door]:
        text = secret.read_text("ascii").strip()
        return [hub_door(plan.login, hub_port), portal_door(plan.workspace_id, text, portal_port)]

    return doors


def _remembered(note: Path) -> int | None:
    try:
        port = int(note.read_text())
    except (OSError, ValueError):
        return None
    return port if port in PORTS else None


def _not_ours(workspace_id: str) -> NotFound:
    return NotFound(
        "gate.not-ours",
        ko=f"작업공간 {workspace_id}의 컨테이너가 아닙니다.",
        en=f"That is no container of workspace {workspace_id}.",
        remedy_ko="작업공간을 다시 시작하십시오.",
        remedy_en="Start the workspace again.",
    )


def _port_taken(workspace_id: str) -> Conflict:
    return Conflict(
        "gate.port-taken",
        ko=f"작업공간 {workspace_id} 안에서 게이트의 포트를 다른 프로그램이 차지했습니다.",
        en=f"Inside workspace {workspace_id} another program holds a port of the gate.",
        remedy_ko="작업공간을 다시 시작하십시오.",
        remedy_en="Start the workspace again.",
    )
