"""What the door costs: one cell of 1 kB, 10 MB of output, 200 open notebooks.

Two servers of the same image: one on the engine's bridge without a gate, one sealed behind the door. The same
client library asks both in turns, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as aconnect
from websockets.sync.client import ClientConnection, connect

from enclave.gate.door.handshake import V1
from enclave.gate.door.kernel_message import Message, build, read
from enclave.gate.door.link import Held

IMAGE, TOKEN, PREFIX = "ansim-workspace:latest", "bench", "/user/kim"
ORIGIN = "http://kim.ansim.test"
SERVER = [
    "python", "-m", "jupyter_server", "--ServerApp.base_url=/user/kim/", "--ServerApp.token=bench", "--ip=0.0.0.0",
    "--ServerApp.allow_origin=*", "--no-browser", "--ServerApp.root_dir=/tmp", "--ServerApp.iopub_data_rate_limit=1e12",
    "--ServerApp.iopub_msg_rate_limit=1e9", "--ServerApp.allow_remote_access=True",
]  # fmt: skip
SMALL, LARGE = "print('x' * 1000)", "import sys; n = sys.stdout.write('x' * 10_000_000)"
BLOCKS, CELLS, ROUNDS, SOCKETS, KERNELS = 10, 20, 7, 200, 4
LATENCY, THROUGHPUT, FLAT = 1.3, 0.6, 1.1
START_S = 60
TOGETHER = 25
NETWORK = "ansim-bench-bridge"


@dataclass(frozen=True)
class Place:
    """Where one of the two servers is reached."""

    host: str
    port: int

    def new_kernel(self) -> str:
        """Start a kernel; returns its id."""
        answer = httpx.post(
            f"http://{self.host}:{self.port}{PREFIX}/api/kernels", headers=_headers(), json={}, timeout=60
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def channels(self, kernel: str) -> str:
        """Return the address of a kernel's websocket, with a session of its own."""
        return f"ws://{self.host}:{self.port}{PREFIX}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"

    def open(self, kernel: str) -> ClientConnection:
        """Open a kernel's websocket as JupyterLab does."""
        address = self.channels(kernel)
        return connect(
            address, subprotocols=[V1], additional_headers=_headers(), origin=ORIGIN, max_size=None, compression=None
        )


def figures() -> dict[str, dict[str, Any]]:
    """Measure all three in one run."""
    with _plain() as plain, _sealed() as (sealed, door):
        places = {"plain": plain, "sealed": sealed}
        kernels = {name: place.new_kernel() for name, place in places.items()}
        with ExitStack() as stack:
            links = {name: stack.enter_context(place.open(kernels[name])) for name, place in places.items()}
            for link in links.values():
                _seconds(link, SMALL)
            small = _turns(links, SMALL, BLOCKS, CELLS)
            large = _turns(links, LARGE, ROUNDS, 1)
        return {
            "gate.cell_1kb": _figure(small, LATENCY, slower=True),
            "gate.output_10mb": _figure(large, THROUGHPUT, slower=False),
            "gate.200_sockets_memory": _sockets(sealed, door),
        }


def _turns(links: dict[str, ClientConnection], code: str, blocks: int, cells: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in links}
    for _ in range(blocks):
        for name, link in links.items():
            taken[name] += [_seconds(link, code) for _ in range(cells)]
    return {name: median(values) for name, values in taken.items()}


def _figure(took: dict[str, float], floor: float, *, slower: bool) -> dict[str, Any]:
    ratio = took["sealed"] / took["plain"] if slower else took["plain"] / took["sealed"]
    ok = ratio <= floor if slower else ratio >= floor
    peer = f"plain jupyter_server on a bridge: {took['plain'] * 1000:.1f} ms"
    return {"value": took["sealed"] * 1000, "unit": "ms", "peer": peer, "ratio": ratio, "floor": floor, "ok": ok}


def _sockets(place: Place, door: int) -> dict[str, Any]:
    """Open 200 sockets on four kernels and run a cell on each of them, twice: the second time nothing grows."""
    kernels = [place.new_kernel() for _ in range(KERNELS)]
    before = _resident(door)
    after = asyncio.run(_crowd([place.channels(kernels[index % KERNELS]) for index in range(SOCKETS)], door))
    each = (after[0] - before) / SOCKETS / 1024
    peer = f"after the first cell on each: {after[0] >> 20} MiB; {each:.0f} KiB a socket"
    ratio = after[1] / after[0]
    ok = ratio <= FLAT
    return {"value": after[1] / (1 << 20), "unit": "MiB", "peer": peer, "ratio": ratio, "floor": FLAT, "ok": ok}


async def _crowd(addresses: list[str], door: int) -> list[int]:
    """Hold all sockets open, each read all the time; the door's memory after each round of cells."""
    async with AsyncExitStack() as stack:
        options: dict[str, Any] = {"subprotocols": [V1], "additional_headers": _headers(), "origin": ORIGIN}
        options |= {"max_size": None, "compression": None, "ping_interval": None}
        links = []
        for start in range(0, len(addresses), TOGETHER):
            opening = (aconnect(address, **options) for address in addresses[start : start + TOGETHER])
            links += await asyncio.gather(*map(stack.enter_async_context, opening))
        waiting: dict[str, set[str]] = {}
        done = asyncio.Event()

        async def listen(link: AsyncConnection) -> None:
            async for data in link:
                message = read(Held(bytes(data), text=False, size=len(data)), v1=True)  # type: ignore[arg-type]
                waiting.get(message.parent_id, set()).discard(_name(message))
                if not any(waiting.values()):
                    done.set()

        listening = [asyncio.create_task(listen(link)) for link in links]
        after = []
        for _ in range(2):
            waiting = {uuid.uuid4().hex: {"execute_reply", "idle"} for _ in links}
            done.clear()
            for link, name in zip(links, waiting, strict=True):
                await link.send(_request(SMALL, name))
            await done.wait()
            after.append(_resident(door))
        for task in listening:
            task.cancel()
    return after


def _request(code: str, name: str) -> bytes:
    header = {"msg_id": name, "msg_type": "execute_request", "username": "", "session": "bench", "date": ""}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    return build("shell", [{**header, "version": "5.4"}, {}, {}, content], v1=True)[0]


def _seconds(link: ClientConnection, code: str) -> float:
    name = uuid.uuid4().hex
    data = _request(code, name)
    begun = time.perf_counter()
    link.send(data)
    waiting = {"execute_reply", "idle"}
    while waiting:
        answer = link.recv(timeout=120)
        message = read(Held(bytes(answer), text=False, size=len(answer)), v1=True)  # type: ignore[arg-type]
        if message.parent_id == name:
            waiting.discard(_name(message))
    return time.perf_counter() - begun


def _name(message: Message) -> str:
    """A message's type; of a state, which one it is."""
    return str(message.content["execution_state"]) if message.kind == "status" else message.kind


def _headers() -> dict[str, str]:
    return {"Authorization": f"token {TOKEN}"}


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _plain() -> Iterator[Place]:
    network = ["docker", "network"]
    subprocess.run([*network, "rm", NETWORK], check=False, capture_output=True)  # of a run that was killed
    subprocess.run([*network, "create", NETWORK], check=True, capture_output=True)
    try:
        with _container(NETWORK) as name:
            place = Place(_inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), 8888)
            _wait(place)
            yield place
    finally:
        subprocess.run([*network, "rm", NETWORK], check=False, capture_output=True)


@contextmanager
def _sealed() -> Iterator[tuple[Place, int]]:
    with _container("none") as name, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.door_process", folder, _inspect(name, "{{.State.Pid}}")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as door:
            try:
                assert door.stdout
                place = Place("127.0.0.1", int(door.stdout.readline()))
                _wait(place)
                yield place, door.pid
            finally:
                door.terminate()


@contextmanager
def _container(network: str) -> Iterator[str]:
    name = f"ansim-gate-bench-{network}"
    subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)
    run = ["docker", "run", "-d", "--rm", "--name", name, "--network", network, "--tmpfs", "/tmp:mode=1777"]
    subprocess.run([*run, "-e", "HOME=/tmp", "--user", "10001", IMAGE, *SERVER], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)


def _inspect(name: str, what: str) -> str:
    done = subprocess.run(["docker", "inspect", "-f", what, name], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _wait(place: Place) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://{place.host}:{place.port}{PREFIX}/api", headers=_headers(), timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"no notebook server at {place}")
