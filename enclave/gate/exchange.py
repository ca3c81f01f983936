"""One request and its answer between browser and notebook, parsed on both sides and written anew; or a websocket.

Both ends get `Connection: close` and one request; headers that belong to one connection never cross.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

import h11

from enclave.gate.wire import HEAD_BYTES, head_bytes, next_event, pump

SWITCHING = 101
HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"upgrade",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"proxy-authorization",
    b"proxy-authenticate",
    b"proxy-connection",
}
Headers = list[tuple[bytes, bytes]]
CLOSE: Headers = [(b"connection", b"close")]


class Side:
    """One end of an exchange: its parser (`h11.SERVER` towards browsers, `h11.CLIENT` towards servers), its streams."""

    def __init__(self, role: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=HEAD_BYTES)
        self.reader, self.writer = reader, writer

    async def send(self, event: h11.Event) -> None:
        """Write one event to this end."""
        self.writer.write(self.http.send(event) or b"")
        await self.writer.drain()

    async def next(self) -> object:
        """Return this end's next event; raises `h11.RemoteProtocolError`."""
        return await next_event(self.http, self.reader)


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that are not about one connection."""
    return [(name, value) for name, value in headers if name not in HOP_BY_HOP]


def is_websocket(head: h11.Request) -> bool:
    """Say whether a request asks to become a websocket (RFC 6455 §4.1)."""
    return head.method == b"GET" and any(n == b"upgrade" and v.lower() == b"websocket" for n, v in head.headers)


async def answer(
    browser: Side, server: Side, head: h11.Request, *, headers: Headers, count: Callable[[int], None]
) -> None:
    """Send `head` with these headers and its body to the server, and its answer back; `count` is told body sizes.

    Raises `h11.ProtocolError` or `OSError` when either end breaks off or talks nonsense.
    """
    chunked = [(b"transfer-encoding", b"chunked")] if any(n == b"transfer-encoding" for n, _ in head.headers) else []
    await server.send(h11.Request(method=head.method, target=head.target, headers=[*headers, *chunked, *CLOSE]))
    sending = asyncio.create_task(_body(browser, server))
    try:
        # The server may answer before it has read everything (413).
        response = await server.next()
        while isinstance(response, h11.InformationalResponse):
            response = await server.next()
        if not isinstance(response, h11.Response):
            raise h11.RemoteProtocolError("no answer")
        kept = [*end_to_end(response.headers), *CLOSE]
        await browser.send(h11.Response(status_code=response.status_code, headers=kept))
        while isinstance(event := await server.next(), h11.Data):
            count(len(event.data))
            await browser.send(h11.Data(data=bytes(event.data)))
        await browser.send(h11.EndOfMessage())
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError, h11.ProtocolError):
            await sending


async def _body(browser: Side, server: Side) -> None:
    while isinstance(event := await browser.next(), h11.Data):
        await server.send(h11.Data(data=bytes(event.data)))
    if isinstance(event, h11.EndOfMessage):
        await server.send(h11.EndOfMessage())


async def switch(
    browser: Side, server: Side, head: h11.Request, *, headers: Headers, count: Callable[[int], None]
) -> None:
    """Open a websocket: only a real 101 of the server opens the raw way, so no second request can ride on it."""
    upgrade = [(b"connection", b"upgrade"), (b"upgrade", b"websocket")]
    await server.send(h11.Request(method=head.method, target=head.target, headers=[*headers, *upgrade]))
    await server.send(h11.EndOfMessage())
    response = await server.next()
    if not isinstance(response, h11.InformationalResponse) or response.status_code != SWITCHING:
        status = response.status_code if isinstance(response, h11.Response) else 502
        browser.writer.write(head_bytes(f"HTTP/1.1 {status} Refused", [(b"content-length", b"0"), *CLOSE]))
        await browser.writer.drain()
        return
    browser.writer.write(head_bytes("HTTP/1.1 101 Switching Protocols", response.headers))
    browser.writer.write(server.http.trailing_data[0])
    # What a client sent before it had the answer was read by the parser already.
    server.writer.write(browser.http.trailing_data[0])
    await _both(pump(server.reader, browser.writer, count), pump(browser.reader, server.writer))


async def _both(*ways: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
