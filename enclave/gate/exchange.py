"""One end of an HTTP exchange between browser and notebook server, parsed by h11 and written anew.

Both ends get `Connection: close` and one request; headers that belong to one connection never cross.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import h11

from enclave.gate.wire import HEAD_BYTES, next_event

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
