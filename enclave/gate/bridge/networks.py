"""One internal bridge network for each project, made by the gate and by nobody else; an address for each workspace.

The engine cuts such a network off from other networks, but not from the host: that is `firewall`. An address belongs
to one workspace for as long as its volumes exist, because a neighbour's old address would be a neighbour's identity.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from enclave import whole
from enclave.errors import Denied, Unavailable
from enclave.gate.dockerd import Dockerd

LABEL = "ansim.enclave"
PREFIX_LENGTH = 24
ICC, NAME = "com.docker.network.bridge.enable_icc", "com.docker.network.bridge.name"


def tag_of(home: Path) -> str:
    """Return what tells this enclave's interfaces and chains from those of another on the same machine."""
    return hashlib.sha256(str(home).encode()).hexdigest()[:4]


@dataclass(frozen=True)
class Network:
    """One project's network: the engine's name for it, the host's interface, its addresses."""

    name: str
    bridge: str
    subnet: IPv4Network

    @property
    def gateway(self) -> str:
        """The host's own address on it, where the doors listen."""
        return str(self.subnet[1])


class Networks:
    """This enclave's networks, in subnets of `pool`."""

    def __init__(self, docker: Dockerd, home: Path, pool: str) -> None:
        self._docker, self._home, self._pool = docker, home, IPv4Network(pool)
        self._making = asyncio.Lock()

    async def ensure(self, name: str) -> Network:
        """Return the network, made if it is not there. Raises `Denied` (not as we make them), `Unavailable`."""
        async with self._making:
            found = (await self.all()).get(name)
            return found or await self._make(name)

    async def all(self) -> dict[str, Network]:
        """Return this enclave's networks by name; raises `Denied` if one is not as we make them."""
        filters = json.dumps({"label": [f"{LABEL}={self._home}"]})
        listed = await self._docker.order("GET", "/networks", params={"filters": filters})
        return {each["Name"]: self._read(each) for each in listed}

    async def remove(self, name: str) -> None:
        """Remove a network; one that is in use, or gone already, is left alone."""
        if name in await self.all():
            await self._docker.order("DELETE", f"/networks/{name}", fine={403, 404})

    async def _make(self, name: str) -> Network:
        taken = [network for each in await self._docker.order("GET", "/networks") for network in _subnets(each)]
        for subnet in self._pool.subnets(new_prefix=PREFIX_LENGTH):
            if not any(subnet.overlaps(other) for other in taken):
                # 403: another enclave on this engine was quicker.
                made = await self._docker.order("POST", "/networks/create", body=self._body(name, subnet), fine={403})
                if "Id" in (made or {}):
                    return self._read(await self._docker.order("GET", f"/networks/{made['Id']}"))
        raise _no_room(str(self._pool))

    def _body(self, name: str, subnet: IPv4Network) -> dict[str, Any]:
        return {
            "Name": name,
            "CheckDuplicate": True,
            "Driver": "bridge",
            "Internal": True,
            "Attachable": False,
            "EnableIPv6": False,
            "IPAM": {"Driver": "default", "Config": [{"Subnet": str(subnet), "Gateway": str(subnet[1])}]},
            "Options": {ICC: "false", NAME: self._interface(name)},
            "Labels": {LABEL: str(self._home)},
        }

    def _interface(self, name: str) -> str:
        # At most 15 characters (IFNAMSIZ).
        return f"enc{tag_of(self._home)}-{hashlib.sha256(name.encode()).hexdigest()[:7]}"

    def _read(self, said: dict[str, Any]) -> Network:
        """Believe the engine's answer only if it says what we asked for."""
        name, subnets = said["Name"], _subnets(said)
        asked = self._body(name, subnets[0]) if subnets else {}
        kept = ("Driver", "Internal", "EnableIPv6", "Options", "Labels")
        if len(subnets) != 1 or any(said.get(key) != asked[key] for key in kept):
            raise _not_ours(name)
        return Network(name, self._interface(name), subnets[0])


class Addresses:
    """Which address each workspace has, kept in `volumes/<workspace>/address`."""

    def __init__(self, volumes: Path) -> None:
        self._volumes = volumes

    def take(self, workspace_id: str, network: Network) -> str:
        """Return the workspace's address in this network, the same one each time."""
        note = self._volumes / workspace_id / "address"
        kept = note.read_text() if note.exists() else ""
        if kept and IPv4Address(kept) in network.subnet:
            return kept
        taken = {path.read_text() for path in self._volumes.glob("*/address")}
        free = (str(each) for each in list(network.subnet)[2:-1] if str(each) not in taken)
        address = next(free, "")
        if not address:
            raise _no_room(str(network.subnet))
        whole.write(note, address.encode())
        return address


def _subnets(said: dict[str, Any]) -> list[IPv4Network]:
    configs = (said.get("IPAM") or {}).get("Config") or []
    return [IPv4Network(each["Subnet"]) for each in configs if ":" not in each.get("Subnet", ":")]


def _no_room(pool: str) -> Unavailable:
    return Unavailable(
        "gate.network-full",
        ko=f"과제 네트워크에 쓸 주소가 남아 있지 않습니다({pool}).",
        en=f"No addresses are left for the project's network ({pool}).",
        remedy_ko="운영자가 설정 bridge_subnets의 범위를 넓히거나 끝난 작업공간을 파기해야 합니다.",
        remedy_en="The operator widens bridge_subnets in the settings, or destroys workspaces that have ended.",
    )


def _not_ours(name: str) -> Denied:
    return Denied(
        "gate.network",
        ko=f"네트워크 {name}이(가) 게이트가 만드는 모양과 다릅니다.",
        en=f"The network {name} is not as the gate makes it.",
        remedy_ko="운영자가 그 네트워크를 지우면 게이트가 다시 만듭니다.",
        remedy_en="Once the operator has removed it, the gate makes it anew.",
    )
