"""Opening a websocket on both sides (RFC 6455 §4): the two handshakes are separate, nothing is passed through.

The browser must come from the workspace's own pages (`Origin`), may ask only for subprotocols we can parse, and gets
no extensions: what is compressed cannot be counted as it is shown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

import h11
from wsproto.connection import ConnectionType

from enclave.gate.door.link import Link
from enclave.gate.door.visit import Visit
from enclave.gate.exchange import Side
from enclave.gate.wire import head_bytes

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
V1 = "v1.kernel.websocket.jupyter.org"
SUBPROTOCOLS = (V1,)
SWITCHING = 101
KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
# Who is asking: the cookie of the hub's sign-in, or a token of a program's; nothing else goes on.
PASSED = {b"cookie", b"authorization", b"user-agent", b"host"}


@dataclass(frozen=True)
class Pair:
    """An open websocket: both ends and the subprotocol, empty if there is none."""

    browser: Link
    server: Link
    subprotocol: str


def refusal(visit: Visit) -> str | None:
    """Return why a browser's handshake may not go on, or None."""
    if visit.header(b"sec-websocket-version") != "13" or not KEY.fullmatch(visit.header(b"sec-websocket-key")):
        return "handshake"
    origins = [value for name, value in visit.headers if name == b"origin"]
    if origins != [visit.doorway.origin.encode()]:
        return "origin"
    return None


async def shake(visit: Visit, server: Side) -> Pair | int:
    """Do both handshakes; returns the pair, or the status with which the server declined."""
    offered = [name for name in SUBPROTOCOLS if name in _tokens(visit)]
    key = base64.b64encode(secrets.token_bytes(16))
    await server.send(h11.Request(method="GET", target=visit.target.canonical, headers=_asking(visit, key, offered)))
    await server.send(h11.EndOfMessage())
    response = await server.next()
    if not isinstance(response, h11.InformationalResponse) or response.status_code != SWITCHING:
        return response.status_code if isinstance(response, h11.Response) else 502
    headers = dict(response.headers)
    chosen = headers.get(b"sec-websocket-protocol", b"").decode("latin-1")
    accepted = hmac.compare_digest(headers.get(b"sec-websocket-accept", b""), _accept(key))
    if not accepted or b"sec-websocket-extensions" in headers or (chosen and chosen not in offered):
        raise h11.RemoteProtocolError("not a websocket")
    return _pair(visit, server, chosen)


def _asking(visit: Visit, key: bytes, offered: list[str]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in visit.headers if name in PASSED]
    protocol = [(b"sec-websocket-protocol", ", ".join(offered).encode())] if offered else []
    return [
        *kept,
        (b"origin", visit.doorway.origin.encode()),
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", key),
        *protocol,
    ]


def _pair(visit: Visit, server: Side, chosen: str) -> Pair:
    browser = visit.browser
    protocol = [(b"sec-websocket-protocol", chosen.encode())] if chosen else []
    answer = [
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade"),
        (b"sec-websocket-accept", _accept(visit.header(b"sec-websocket-key").encode())),
        *protocol,
    ]
    browser.writer.write(head_bytes("HTTP/1.1 101 Switching Protocols", answer))
    # What a client sent before it had the answer was read by the parser already.
    room = visit.doorway.room
    to_browser = Link(ConnectionType.SERVER, browser.reader, browser.writer, browser.http.trailing_data[0], room=room)
    to_server = Link(ConnectionType.CLIENT, server.reader, server.writer, server.http.trailing_data[0], room=room)
    return Pair(to_browser, to_server, chosen)


def _tokens(visit: Visit) -> set[str]:
    values = ",".join(value.decode("latin-1") for name, value in visit.headers if name == b"sec-websocket-protocol")
    return {token.strip() for token in values.split(",")}


def _accept(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
