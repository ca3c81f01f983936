"""A door on a real port before a notebook server that only says what reached it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import h11
import httpx

from enclave.gate.assets import Assets
from enclave.gate.dockerd import Dockerd
from enclave.gate.door.book import Books
from enclave.gate.door.front import Front
from enclave.gate.door.screens import Screens
from enclave.gate.door.visit import Addresses
from enclave.gate.spool import Spool
from enclave.workspace.plan import WorkspacePlan

PORTAL = "http://portal--service.ansim.localhost:8000/services/portal"
PAGE = b"<!doctype html><html><HEAD lang='ko'><title>JupyterLab</title></HEAD><body>lab</body></html>"


@dataclass
class Door:
    """The door, its screens and spool, and the paths that reached the server behind."""

    port: int
    front: Front
    screens: Screens
    spool: Spool
    reached: list[str] = field(default_factory=list)

    def ask(self, path: str = "api", method: str = "GET", **headers: str) -> httpx.Response:
        """One request, as our proxy passes it on: `seen` is the address it saw, header names with underscores."""
        sent = {"Host": "mina.ansim.localhost:8000"} | {k.replace("_", "-"): v for k, v in headers.items()}
        content = sent.pop("content", "").encode() or None
        address = f"http://127.0.0.1:{self.port}/user/mina/{path}"
        with httpx.Client(headers={"accept": "*/*"}) as client:
            return client.request(method, address, headers=sent, content=content)

    def events(self, kind: str, *, wait_s: float = 0) -> list[dict[str, object]]:
        """What of one kind waits for the portal; notices come a moment later."""
        end = time.monotonic() + wait_s
        while not (found := self._events(kind)) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _events(self, kind: str) -> list[dict[str, object]]:
        return [dict(event.details) for event in self.spool.events(100) if event.kind == kind]


async def _notebook(door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    http = h11.Connection(h11.SERVER)
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await reader.read(65536))
    if isinstance(event, h11.Request):
        path = event.target.decode()
        door.reached.append(path)
        html = "/lab" in path
        kind = b"text/html" if html else b"application/json"
        body = PAGE if html else b"{}"
        answer = h11.Response(
            status_code=200,
            headers=[(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"connection", b"close")],
        )
        writer.write(http.send(answer) or b"")
        writer.write(http.send(h11.Data(data=body)) or b"")
        await writer.drain()
    writer.close()


@contextmanager
def served(plan: WorkspacePlan, folder: Path, clock: object, *, hops: int = 0) -> Iterator[Door]:
    """Serve the door of this plan in a thread of its own."""
    (folder / "volumes" / plan.workspace_id).mkdir(parents=True, exist_ok=True)
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Door] = []

    async def run() -> None:
        screens, spool = Screens(folder / "volumes", clock), Spool(folder / "spool")  # type: ignore[arg-type]
        screens.begin(plan)
        assets = Assets(folder / "assets", Dockerd(folder / "no-engine.sock"))
        front = Front(
            spool,
            Addresses(PORTAL, "http", "ansim.localhost:8000", hops),
            assets,
            screens,
            Books(folder / "volumes", clock),
        )  # type: ignore[arg-type]
        door = Door(0, front, screens, spool)
        inner = await asyncio.start_server(lambda r, w: _notebook(door, r, w), "127.0.0.1", 0)
        port = inner.sockets[0].getsockname()[1]
        outer = await asyncio.start_server(
            front.handler(plan, lambda: asyncio.open_connection("127.0.0.1", port)), "127.0.0.1", 0
        )
        door.port = outer.sockets[0].getsockname()[1]
        found.append(door)
        ready.set()
        await stop.wait()
        for server in (outer, inner):
            server.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def at(moment: datetime) -> object:
    """A clock that stands."""
    return lambda: moment
