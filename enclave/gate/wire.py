"""One HTTP/1.1 request per connection, parsed by h11 and rebuilt before it goes anywhere.

What we pass on is never what we read: head and body are written anew from the parsed parts, with exactly one
length. So a second length, a chunked body or a second request behind an allowed one has nothing to ride on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import h11

HEAD_BYTES = 64 << 10
CHUNK = 64 << 10
HEAD_S = 20

Headers = list[tuple[bytes, bytes]]


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """This request does not pass; `status` is what the client is told, the text is for our own log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A whole request: method and target as text, header names in lower case, body in memory."""

    method: str
    target: str
    headers: Headers
    body: bytes


async def read_request(reader: asyncio.StreamReader, *, body_limit: int) -> Request:
    """Read one request of at most `body_limit` body bytes within 20 s.

    Raises `Refused`: 400 malformed or closed early, 408 too slow, 411 chunked, 413 too large.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    try:
        async with asyncio.timeout(HEAD_S):
            head = await next_event(connection, reader)
            if not isinstance(head, h11.Request):
                raise Refused(400, "no request")
            _check_length(head.headers, body_limit)
            body = b"".join([data async for data in body_of(connection, reader)])
    except h11.RemoteProtocolError as error:
        raise Refused(400, f"malformed: {error}") from error
    except TimeoutError as error:
        raise Refused(408, "too slow") from error
    return Request(head.method.decode(), head.target.decode(), list(head.headers), body)


def _check_length(headers: Iterable[tuple[bytes, bytes]], limit: int) -> None:
    for name, value in headers:
        if name == b"transfer-encoding":
            raise Refused(411, "a body must say its length")
        if name == b"content-length" and int(value) > limit:
            raise Refused(413, f"more than {limit} bytes of body")


async def next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    """Return the next h11 event, reading as much as it needs; raises `h11.RemoteProtocolError`."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(CHUNK))
    return event


async def body_of(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    """Yield the parts of a message's body until its end."""
    while isinstance(event := await next_event(connection, reader), h11.Data):
        yield bytes(event.data)


def head_bytes(first: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a message head: the first line and the given headers, nothing added."""
    lines = [first.encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def forward(request: Request, upstream: asyncio.StreamWriter, headers: Headers) -> None:
    """Send the request with exactly these headers, its length, and `Connection: close`."""
    length = [(b"content-length", str(len(request.body)).encode())] if request.body or request.method == "POST" else []
    head = head_bytes(f"{request.method} {request.target} HTTP/1.1", [*headers, *length, (b"connection", b"close")])
    upstream.write(head + request.body)
    await upstream.drain()


async def respond(
    writer: asyncio.StreamWriter, status: int, body: bytes = b"", content_type: str = "application/json"
) -> None:
    """Answer and end the connection."""
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    writer.write(head_bytes(f"HTTP/1.1 {status} {'OK' if status < 300 else 'Refused'}", headers) + body)  # noqa: PLR2004
    await writer.drain()


async def respond_json(writer: asyncio.StreamWriter, status: int, value: object) -> None:
    """Answer with JSON in ASCII, so that names with lone surrogates survive the way."""
    await respond(writer, status, json.dumps(value).encode())


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None] | None = None
) -> None:
    """Copy until the reader ends; `count` is told the size of each part."""
    while data := await reader.read(CHUNK):
        if count:
            count(len(data))
        writer.write(data)
        await writer.drain()


async def close(*writers: asyncio.StreamWriter) -> None:
    """Close connections whose other side may be gone already."""
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def limited(handler: Handler, *, most: int) -> Handler:
    """Return the handler with at most this many connections at once, each closed at its end; more are cut at once."""
    busy = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve within the limit."""
        nonlocal busy
        busy += 1
        try:
            if busy <= most:
                await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side went away: nothing to tell anybody
        finally:
            busy -= 1
            await close(writer)

    return serve
