"""A door with a notebook server behind it that the test plays: real sockets, no engine."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from enclave.gate.assets import Assets
from enclave.gate.door.book import Books
from enclave.gate.door.front import Front
from enclave.gate.door.handshake import V1
from enclave.gate.door.kernel_message import build
from enclave.gate.door.screens import Screens
from enclave.gate.door.visit import Addresses
from enclave.gate.events import GateEvent
from enclave.gate.spool import Bounds, Spool
from enclave.workspace.plan import Display, WorkspacePlan

LOGIN = "kim"
ORIGIN = "http://kim.ansim.test:8000"
KERNEL = "0a0b0c0d-1111-2222-3333-444455556666"
CHANNELS = f"api/kernels/{KERNEL}/channels"
START = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)

Behaviour = Callable[[ServerConnection], Awaitable[None]]


def plan(**display: int) -> WorkspacePlan:
    return WorkspacePlan(
        workspace_id="w-1",
        project_id="project-1",
        account_id="account-1",
        login=LOGIN,
        image_id="sha256:" + "0" * 64,
        mounts=(),
        expires_at=START + timedelta(hours=1),
        display=Display(**display),
    )


@dataclass
class Scene:
    """The door's port, its spool, and the clock it reads."""

    port: int
    spool: Spool
    front: Front
    plan: WorkspacePlan
    now: datetime = START
    heads: list[bytes] = field(default_factory=list)

    def events(self, kind: str) -> list[GateEvent]:
        return [event for event in self.spool.events(1000) if event.kind == kind]

    @asynccontextmanager
    async def socket(self, path: str = CHANNELS, *, v1: bool = True, **more: Any) -> AsyncIterator[ClientConnection]:
        options: dict[str, Any] = {"subprotocols": [V1] if v1 else None, "origin": ORIGIN, "max_size": None, **more}
        async with connect(f"ws://127.0.0.1:{self.port}/user/kim/{path}", **options) as link:
            yield link


@asynccontextmanager
async def scene(behave: Behaviour, *, bounds: Bounds | None = None, **display: int) -> AsyncIterator[Scene]:
    """Serve `behave` as the notebook server's websocket behind a door with these limits."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool", bounds=bounds)
        (Path(folder) / "w-1").mkdir()
        made = Scene(0, spool, None, plan(**display))  # type: ignore[arg-type]
        addresses, assets = Addresses("http://portal.test/p", "http", "ansim.test:8000"), Assets(Path(folder), None)
        screens, books = Screens(Path(folder), lambda: made.now), Books(Path(folder), lambda: made.now)
        screens.begin(made.plan)
        made.front = Front(spool, addresses, assets, screens, books)
        options: dict[str, Any] = {"subprotocols": [V1], "select_subprotocol": _select, "max_size": None}
        async with serve(behave, "127.0.0.1", 0, compression=None, **options) as inner:
            port = inner.sockets[0].getsockname()[1]
            handler = made.front.handler(made.plan, lambda: asyncio.open_connection("127.0.0.1", port))
            door = await asyncio.start_server(handler, "127.0.0.1", 0)
            made.port = door.sockets[0].getsockname()[1]
            try:
                yield made
            finally:
                made.front.forget("w-1")
                door.close()
                await asyncio.sleep(0)


def _select(_: ServerConnection, offered: Any) -> Any:
    return V1 if V1 in offered else None


def renew(made: Scene, **display: int) -> None:
    made.plan = replace(made.plan, display=Display(**display))
    made.front.renew(made.plan)


def header(kind: str, name: str = "m-1") -> dict[str, Any]:
    return {
        "msg_id": name,
        "msg_type": kind,
        "username": "",
        "session": "s-1",
        "date": "2026-11-28T03:10:00Z",
        "version": "5.4",
    }


def request(kind: str, content: dict[str, Any], *, v1: bool, name: str = "m-1", channel: str = "shell") -> bytes | str:
    """Return what a page sends."""
    data, text = build(channel, [header(kind, name), {}, {}, content], v1=v1)
    return data.decode() if text else data


def execute(code: str, *, v1: bool, name: str = "m-1") -> bytes | str:
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
    return request("execute_request", content, v1=v1, name=name)


def from_kernel(
    channel: str,
    kind: str,
    content: Any,
    *,
    v1: bool,
    parent: str = "m-1",
    metadata: Any = None,
    more: dict[str, Any] | None = None,
    parent_kind: str = "execute_request",
) -> bytes | str:
    """Return what a kernel's message is on the wire."""
    parts = [{**header(kind, f"k-{kind}"), **(more or {})}, header(parent_kind, parent), metadata or {}, content]
    data, text = build(channel, parts, v1=v1)
    return data.decode() if text else data


def read(data: bytes | str) -> dict[str, Any]:
    """Read what the page got, by the rules as Jupyter wrote them."""
    if isinstance(data, str):
        found: dict[str, Any] = json.loads(data)
        return found
    count = int.from_bytes(data[:8], "little")
    offsets = [int.from_bytes(data[8 * (i + 1) : 8 * (i + 2)], "little") for i in range(count)]
    pieces = [data[a:b] for a, b in pairwise(offsets)]
    names = ("header", "parent_header", "metadata", "content")
    return {"channel": pieces[0].decode(), **dict(zip(names, map(json.loads, pieces[1:5]), strict=True))}


async def all_of(link: ClientConnection) -> list[Any]:
    """Return every message until the other side closes."""
    got = []
    with suppress(ConnectionClosed):
        while True:
            got.append(await link.recv())
    return got


def resident() -> int:
    """Return the bytes of memory this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another task or thread does; the test's own limit ends it."""
    while not condition():  # noqa: ASYNC110 - what is waited for may be in another thread
        await asyncio.sleep(0.01)


def run(coroutine: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(bounded())
