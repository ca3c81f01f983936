"""The way from the browser to a notebook server: every byte passes here, parsed on both sides, out of its reach.

Reading order: `target` (one spelling), `visit`, `checks` (seat, frame, lock, routes), `routes` (the list), `passing`
(HTTP), `sockets` (websockets), `meter`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import h11

from enclave.gate.assets import Assets
from enclave.gate.door.book import Books
from enclave.gate.door.checks import ask
from enclave.gate.door.image_files import give
from enclave.gate.door.link import GOING_AWAY
from enclave.gate.door.lock import CLOSE_CODE
from enclave.gate.door.passing import pass_on, say
from enclave.gate.door.recorder import Recorder
from enclave.gate.door.refused import explain
from enclave.gate.door.routes import SOCKETS, Kind, Route
from enclave.gate.door.screens import Screens
from enclave.gate.door.shown import Shown
from enclave.gate.door.sockets import serve_socket
from enclave.gate.door.target import Odd, read_target
from enclave.gate.door.visit import Addresses, Answer, Doorway, Visit
from enclave.gate.exchange import Side, end_to_end, is_websocket
from enclave.gate.spool import Spool
from enclave.gate.wire import HEAD_S, Handler, close, limited, respond
from enclave.workspace.plan import WorkspacePlan

LOG = logging.getLogger("ansim.gate.door")
MOST_CONNECTIONS = 512

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Front:
    """The doors of all workspaces."""

    def __init__(self, spool: Spool, addresses: Addresses, assets: Assets, screens: Screens, books: Books) -> None:
        self._addresses, self.assets, self.screens, self._books = addresses, assets, screens, books
        self._recorder = Recorder(spool)
        self._doorways: dict[str, Doorway] = {}

    def handler(self, plan: WorkspacePlan, connect: Connect) -> Handler:
        """Return the host's side of one workspace's relay; `connect` opens a connection to the server inside."""
        doorway = self._doorways[plan.workspace_id] = self._doorway(plan)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Take in one request of the browser."""
            browser = Side(h11.SERVER, reader, writer)
            try:
                await self._serve(doorway, browser, connect)
            except h11.ProtocolError:
                LOG.warning("malformed traffic at the door of %s", doorway.plan.workspace_id)

        return limited(serve, most=MOST_CONNECTIONS)

    def lock(self, workspace_id: str) -> bool:
        """Lock a screen and close its sockets; returns whether it was open until now. Kernels go on."""
        was_open = self.screens.lock(workspace_id)
        if doorway := self._doorways.get(workspace_id):
            doorway.cut_sockets(CLOSE_CODE, "locked")
        return was_open

    def move(self, workspace_id: str, seat: str) -> None:
        """Let a workspace be used from another seat alone; what is open at the old one is closed."""
        self.screens.move(workspace_id, seat)
        if doorway := self._doorways.get(workspace_id):
            doorway.cut_sockets(CLOSE_CODE, "moved")

    def sweep(self) -> None:
        """Lock the screens at which no hand has been for their idle time."""
        for workspace_id in list(self._doorways):
            if self.screens.of(workspace_id).locked and self.lock(workspace_id):
                self._recorder.notice(workspace_id, "locked", {"why": "idle"})

    def renew(self, plan: WorkspacePlan) -> None:
        """Let a new plan's limits hold for a workspace that is open."""
        if doorway := self._doorways.get(plan.workspace_id):
            doorway.plan = plan
            doorway.book.renew(plan.display)

    def forget(self, workspace_id: str) -> None:
        """Close what is open of a workspace whose relay ends."""
        if doorway := self._doorways.pop(workspace_id, None):
            doorway.cut_sockets(GOING_AWAY, "ended")
            doorway.book.close()

    def meter(self, workspace_id: str) -> dict[str, Any]:
        """Return what was shown and the limits: `hour`, `day`, `limits`; empty if no relay is open."""
        doorway = self._doorways.get(workspace_id)
        return doorway.book.figures() if doorway else {}

    def last_hand(self, workspace_id: str) -> int | None:
        """Return the Unix second of the last hand at an open workspace's screen, as its lock counts it."""
        if workspace_id not in self._doorways:
            return None
        return int(self.screens.of(workspace_id).active_at.timestamp())

    def sent_bytes(self, workspace_id: str) -> int:
        """Return how many bytes went to the browser since the relay was opened."""
        doorway = self._doorways.get(workspace_id)
        return doorway.sent_bytes if doorway else 0

    async def _serve(self, doorway: Doorway, browser: Side, connect: Connect) -> None:
        visit = await _first(doorway, browser)
        if visit is None:
            return
        if answer := await ask(visit):
            await _refuse(visit, answer)
        elif visit.route and visit.route.kind is Kind.STATIC:
            await give(visit, self.assets)
        else:
            await _go_in(visit, connect)

    def _doorway(self, plan: WorkspacePlan) -> Doorway:
        shown = Shown(plan.workspace_id, self._recorder)
        return Doorway(plan, self._addresses, self._recorder, self.screens, self._books.open(plan), shown)


async def _first(doorway: Doorway, browser: Side) -> Visit | None:
    """Return the connection's one request, or None: it never came whole, or its address was answered already."""
    try:
        async with asyncio.timeout(HEAD_S):
            head = await browser.next()
    except h11.RemoteProtocolError:
        await respond(browser.writer, 400)
        return None
    except TimeoutError:
        return None
    if not isinstance(head, h11.Request):
        return None
    visit = _visit(doorway, browser, head)
    if isinstance(visit, Visit):
        return visit
    doorway.recorder.notice(doorway.plan.workspace_id, "malformed", {"why": visit})
    await respond(browser.writer, 403, b'{"code": "gate.address", "message": "403"}')
    return None


async def _go_in(visit: Visit, connect: Connect) -> None:
    try:
        server = Side(h11.CLIENT, *await connect())
    except OSError:
        await say(visit, explain(visit, 503, "unreachable"))
        return
    try:
        await _pass(visit, visit.route, server)
    finally:
        await close(server.writer)


def _visit(doorway: Doorway, browser: Side, head: h11.Request) -> Visit | str:
    try:
        target = read_target(doorway.plan.login, head.target)
    except Odd as odd:
        return str(odd)
    chunked = any(name == b"transfer-encoding" for name, _ in head.headers)
    method = head.method.decode("latin-1")
    kept = end_to_end(head.headers)
    return Visit(doorway, method, target, kept, websocket=is_websocket(head), chunked=chunked, browser=browser)


async def _refuse(visit: Visit, answer: Answer) -> None:
    if answer.event:
        kind, details = answer.event
        visit.doorway.recorder.notice(visit.doorway.plan.workspace_id, kind, details)
    await say(visit, answer)


async def _pass(visit: Visit, route: Route | None, server: Side) -> None:
    if route is None:
        await say(visit, explain(visit, 403, "other"))
    elif route.kind in SOCKETS:
        await serve_socket(visit, route, server)
    else:
        await pass_on(visit, route, server)
