"""The way from the browser to a notebook server: every request is seen here, outside the workspace's reach.

One request per connection, its head rebuilt. Routes that hand out files are refused here too, because the
notebook server runs as the user's own uid and its own refusals are only manners.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import unquote

import h11

from enclave.gate.wire import HEAD_BYTES, Handler, close, head_bytes, limited, next_event, pump, respond

LOG = logging.getLogger("ansim.gate.notebook")
MOST_CONNECTIONS = 256
HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"upgrade",
    b"te",
    b"trailer",
    b"proxy-authorization",
    b"proxy-connection",
    b"transfer-encoding",
}
WEBSOCKET = re.compile(r"(api/kernels/[0-9a-f-]{36}/channels|api/events/subscribe)")
# Each hands out bytes that nobody reviewed, or opens another way in.
REFUSED = re.compile(
    r"(files|view|nbconvert|terminals|proxy|lsp|api/nbconvert|api/terminals|api/shutdown)(/.*)?", re.IGNORECASE
)
CONTENT_QUERY = re.compile(r"(^|&)(format=base64|download\b)", re.IGNORECASE)

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def refusal(login: str, target: str) -> str | None:
    """Return why a request target may not pass, or None. `target` is the path and query as sent."""
    path, _, query = target.partition("?")
    prefix = f"/user/{login}/"
    if not path.startswith(prefix):
        return "not-this-workspace"
    for spelling in (path, unquote(path), unquote(unquote(path))):
        rest = "/".join(part for part in spelling.removeprefix(prefix).split("/") if part not in {"", "."})
        if ".." in rest.split("/") or "\\" in rest:
            return "path"
        if REFUSED.fullmatch(rest):
            return "route"
        if rest.startswith("api/contents") and CONTENT_QUERY.search(unquote(query)):
            return "contents"
    return None


def notebook_handler(login: str, connect: Connect, count: Callable[[int], None]) -> Handler:
    """Return the host's side: `connect` opens a connection inside, `count` is told the bytes sent to the browser."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        browser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        try:
            head = await next_event(browser, reader)
        except h11.RemoteProtocolError:
            await respond(writer, 400)
            return
        if not isinstance(head, h11.Request):
            return
        if why := refusal(login, head.target.decode()):
            LOG.warning("refused for %s (%s): %s %a", login, why, head.method.decode(), head.target.decode()[:200])
            await respond(writer, 403, _message(why))
            return
        try:
            from_server, server = await connect()
        except OSError:
            await respond(writer, 503)
            return
        try:
            exchange = _switch if _wants_websocket(login, head) else _answer
            await exchange(_Side(browser, reader, writer), _Side(_client(), from_server, server), head, count)
        except h11.ProtocolError:
            LOG.warning("malformed traffic with the notebook of %s", login)
        finally:
            await close(server)

    return limited(serve, most=MOST_CONNECTIONS)


class _Side:
    """One end of an exchange: its parser and its two streams."""

    def __init__(self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.http, self.reader, self.writer = http, reader, writer

    async def send(self, event: h11.Event) -> None:
        self.writer.write(self.http.send(event) or b"")
        await self.writer.drain()


def _client() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)


def _wants_websocket(login: str, head: h11.Request) -> bool:
    path = head.target.decode().partition("?")[0].removeprefix(f"/user/{login}/")
    asks = any(name == b"upgrade" and value.lower() == b"websocket" for name, value in head.headers)
    return asks and head.method == b"GET" and bool(WEBSOCKET.fullmatch(path))


def _rebuilt(head: h11.Request, *extra: tuple[bytes, bytes]) -> h11.Request:
    kept = [(name, value) for name, value in head.headers if name not in HOP_BY_HOP]
    # A chunked body stays chunked: h11 frames it anew from the parts it has parsed.
    chunked = [(b"transfer-encoding", b"chunked")] if any(n == b"transfer-encoding" for n, _ in head.headers) else []
    return h11.Request(method=head.method, target=head.target, headers=[*kept, *chunked, *extra])


async def _answer(browser: _Side, server: _Side, head: h11.Request, count: Callable[[int], None]) -> None:
    """One request, one answer, then both connections end."""
    await server.send(_rebuilt(head, (b"connection", b"close")))

    async def body() -> None:
        while True:
            event = await next_event(browser.http, browser.reader)
            await server.send(event)
            if not isinstance(event, h11.Data):
                return

    sending = asyncio.create_task(body())
    try:
        # The server may answer before it has read everything (413).
        await pump(server.reader, browser.writer, count)
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError, h11.ProtocolError):
            await sending


async def _switch(browser: _Side, server: _Side, head: h11.Request, count: Callable[[int], None]) -> None:
    """Pass a websocket: only a real 101 of the server opens the raw way, so no second request can ride on it."""
    await server.send(_rebuilt(head, (b"connection", b"upgrade"), (b"upgrade", b"websocket")))
    await server.send(h11.EndOfMessage())
    answer = await next_event(server.http, server.reader)
    if not isinstance(answer, h11.InformationalResponse) or answer.status_code != 101:  # noqa: PLR2004
        await respond(browser.writer, 502 if not isinstance(answer, h11.Response) else answer.status_code)
        return
    browser.writer.write(head_bytes("HTTP/1.1 101 Switching Protocols", answer.headers) + server.http.trailing_data[0])
    # A client that spoke before the switch was answered is not a browser; what it said is dropped with the parser.
    ways = [
        asyncio.create_task(pump(server.reader, browser.writer, count)),
        asyncio.create_task(pump(browser.reader, server.writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


def _message(why: str) -> bytes:
    return json.dumps(
        {
            "code": f"gate.{why}",
            "message": "이 경로는 안심구역에서 닫혀 있습니다. 결과는 반출 신청으로 내보내십시오. "
            "(This way is closed in the enclave; ask for egress instead.)",
        }
    ).encode()
