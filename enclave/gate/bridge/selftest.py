"""The self-test of the bridge topology: a probe with a workspace's own barriers tries to reach what it must not.

Nothing is believed because it was configured: the engine accepts options that it does not support, and other
software rewrites the host's rules. The probe must reach both doors (else the test itself is broken) and nothing else:
no port of the host on any of its addresses, no neighbour, no resolver, no metadata service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from enclave import host
from enclave.errors import EnclaveError
from enclave.gate.bridge.networks import Network
from enclave.gate.dockerd import Dockerd
from enclave.workspace.engine import NOTEBOOK_PORT, placed, probe_body

LOG = logging.getLogger("ansim.gate.bridge")
OUTSIDE = [("169.254.169.254", 80), ("192.0.2.1", 443), ("8.8.8.8", 53), ("1.1.1.1", 443)]
RUN_S = 60
NEIGHBOUR = "import http.server as h; h.HTTPServer(('0.0.0.0', {port}), h.SimpleHTTPRequestHandler).serve_forever()"
Place = tuple[str, int]


@dataclass(frozen=True)
class Probe:
    """What the self-test works with: the engine, an image with Python, the network it tests, the doors' ports."""

    docker: Dockerd
    image: str
    network: Network
    doors: tuple[int, ...]

    async def run(self) -> list[str]:
        """Return what is wrong, in words; empty when the topology holds."""
        neighbour, prober = (f"{self.network.name}-{role}" for role in ("neighbour", "probe"))
        try:
            with _canaries() as (tcp, udp):
                return await self._attack(neighbour, prober, tcp, udp)
        except (EnclaveError, OSError, ValueError, KeyError) as error:
            return [f"the self-test could not be made: {type(error).__name__}: {error}"[:300]]
        finally:
            for name in (neighbour, prober):
                with contextlib.suppress(EnclaveError):
                    await self.docker.remove(name)

    async def _attack(self, neighbour: str, prober: str, tcp: socket.socket, udp: socket.socket) -> list[str]:
        here, there = str(self.network.subnet[-3]), str(self.network.subnet[-2])
        await self._start(neighbour, ["-c", NEIGHBOUR.format(port=NOTEBOOK_PORT)], there)
        if not await _answers((there, NOTEBOOK_PORT)):
            return ["the neighbour does not answer the gate: the gate could not reach a notebook server either"]
        addresses = host.addresses()
        ports = sorted({*host.ports(), tcp.getsockname()[1]})
        hosts = [(address, port) for address in addresses for port in ports]
        asked = {
            "tcp": [*hosts, *self._own_doors(), (there, NOTEBOOK_PORT), *OUTSIDE],
            "udp": [(address, udp.getsockname()[1]) for address in addresses if ":" not in address],
            "dns": [("127.0.0.11", 53), *((address, 53) for address in addresses if ":" not in address)],
        }
        said = await self._said(prober, asked, here)
        return judge(said, self._own_doors()) + _arrived(udp)

    def _own_doors(self) -> list[Place]:
        return [(self.network.gateway, port) for port in self.doors]

    async def _said(self, name: str, asked: dict[str, list[Place]], address: str) -> dict[str, list[Place]]:
        text = files("enclave.gate.bridge").joinpath("probe.py").read_text("utf-8")
        await self._start(name, ["-c", text, json.dumps(asked)], address)
        await self.docker.wait(name, most_s=RUN_S)
        words = await self.docker.last_words(name, most=1 << 20)
        last = words.strip().splitlines()[-1] if words.strip() else ""
        said = json.loads(last[last.index("{") :])
        return {key: [(str(a), int(p)) for a, p in places] for key, places in said.items()}

    async def _start(self, name: str, arguments: list[str], address: str) -> None:
        await self.docker.remove(name)
        body = placed(probe_body(self.image, self.network.name, arguments), address, self.network.gateway)
        await self.docker.order("POST", "/containers/create", params={"name": name}, body=body)
        await self.docker.order("POST", f"/containers/{name}/start")


def judge(said: dict[str, list[Place]], doors: list[Place]) -> list[str]:
    """Return what is wrong with what a probe reached: anything but the doors, or not both of them."""
    wrong = [f"tcp {address}:{port} answers" for address, port in said["tcp"] if (address, port) not in doors]
    wrong += [f"the resolver at {address}:{port} answers" for address, port in said["dns"]]
    wrong += [
        f"the door {address}:{port} does not answer" for address, port in doors if (address, port) not in said["tcp"]
    ]
    return wrong


@contextlib.contextmanager
def _canaries() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Open a port on all addresses, so that there is one to be reached: what is closed already proves nothing."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        for canary in (tcp, udp):
            canary.bind(("0.0.0.0", 0))  # noqa: S104 - that is the point of it
            canary.settimeout(0)
        tcp.listen(64)
        yield tcp, udp


def _arrived(udp: socket.socket) -> list[str]:
    wrong = []
    with contextlib.suppress(BlockingIOError):
        while True:
            wrong.append(f"udp from {udp.recvfrom(64)[1][0]} arrives")
    return wrong


async def _answers(place: Place) -> bool:
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(*place)
            writer.close()
            return True
        await asyncio.sleep(0.1)
    return False
