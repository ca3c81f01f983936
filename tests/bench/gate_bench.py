"""What the door costs: one cell of 1 kB, 10 MB of output, 200 open notebooks.

Two servers of the same image: one on the engine's bridge without a gate, one sealed behind the door. The same
client library asks both in turns, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
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

    def open(self, kernel: str) -> ClientConnection:
        """Open a kernel's websocket as JupyterLab does."""
        address = f"ws://{self.host}:{self.port}{PREFIX}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
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
    with ExitStack() as stack:
        before = _resident(door)
        links = [stack.enter_context(place.open(kernels[index % KERNELS])) for index in range(SOCKETS)]
        after = []
        for _ in range(2):
            for link in links:
                _seconds(link, SMALL)
            after.append(_resident(door))
    each = (after[1] - before) / SOCKETS / 1024
    peer = f"after the first cell on each: {after[0] >> 20} MiB; {each:.0f} KiB a socket"
    ratio = after[1] / after[0]
    return {
        "value": after[1] / (1 << 20),
        "unit": "MiB",
        "peer": peer,
        "ratio": ratio,
        "floor": FLAT,
        "ok": ratio <= FLAT,
    }


def _seconds(link: ClientConnection, code: str) -> float:
    name = uuid.uuid4().hex
    header = {
        "msg_id": name,
        "msg_type": "execute_request",
        "username": "",
        "session": "bench",
        "date": "",
        "version": "5.4",
    }
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    data, _ = build("shell", [header, {}, {}, content], v1=True)
    begun = time.perf_counter()
    link.send(data)
    waiting = {"execute_reply", "idle"}
    while waiting:
        waiting.discard(_what(link.recv(timeout=120), name))
    return time.perf_counter() - begun


def _what(data: str | bytes, name: str) -> str:
    assert isinstance(data, bytes)
    message: Message = read(Held(data, text=False, size=len(data)), v1=True)
    if message.parent_id != name:
        return ""
    return str(json.loads(message.raw)["execution_state"]) if message.kind == "status" else message.kind


def _headers() -> dict[str, str]:
    return {"Authorization": f"token {TOKEN}"}


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _plain() -> Iterator[Place]:
    network = ["docker", "network"]
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
    run = ["docker", "run", "-d", "--rm", "--name", name, "--network", network, "--tmpfs", "/home/analyst:mode=777"]
    subprocess.run(
        [*run, "-e", "HOME=/home/analyst", "--user", "10001", IMAGE, *SERVER], check=True, capture_output=True
    )
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
