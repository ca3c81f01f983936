"""Bytes to a socket and back, as an attacker sends them; and a websocket that may be held wrongly (RFC 6455).

A proper client would mend what is malformed before it is sent. Standard library only.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

CHUNK = 1 << 16
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})", re.MULTILINE)
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Answer:
    """What came back: the status of each answer in it, and everything that was said."""

    statuses: tuple[int, ...]
    data: bytes

    @property
    def status(self) -> int:
        """The first status; 0 if the connection was cut without an answer."""
        return self.statuses[0] if self.statuses else 0

    def header(self, name: str) -> list[str]:
        """Return the values of a header."""
        head = self.data.partition(b"\r\n\r\n")[0].decode("latin-1")
        pairs = (line.partition(":") for line in head.split("\r\n")[1:])
        return [value.strip() for key, _, value in pairs if key.strip().lower() == name.lower()]

    @property
    def body(self) -> bytes:
        """Everything after the first head."""
        return self.data.partition(b"\r\n\r\n")[2]


def head(line: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of a request; nothing is added and nothing checked."""
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def send(
    address: tuple[str, int] | str, data: bytes, *, seconds: float = 15, most: int = 8 << 20, source: str = ""
) -> Answer:
    """Send bytes to a TCP address or a unix socket and read until the other side ends; `OSError` if nobody is there."""
    answer = b""
    with connected(address, seconds, source) as link:
        with contextlib.suppress(OSError):  # the other side may have cut it already
            link.sendall(data)
        with contextlib.suppress(OSError):
            while len(answer) < most and (part := link.recv(CHUNK)):
                answer += part
    return Answer(tuple(int(found) for found in STATUS.findall(answer)), answer)


def connected(address: tuple[str, int] | str, seconds: float, source: str = "") -> socket.socket:
    """Return a connection, from this address of the host if one is given; raises `OSError`."""
    if isinstance(address, str):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(seconds)
        link.connect(address)
        return link
    return socket.create_connection(address, timeout=seconds, source_address=(source, 0) if source else None)


class WebSocket:
    """One websocket, as a client: whole messages by `receive`, or frames of any form by `frame`."""

    def __init__(
        self, address: tuple[str, int], target: str, headers: Mapping[str, str], *, seconds: float = 60
    ) -> None:
        self._link = connected(address, seconds)
        key = base64.b64encode(os.urandom(16)).decode()
        usual = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
        }
        self._link.sendall(head(f"GET {target}", {**headers, **usual}))
        self._left = b""
        answer = self._until(b"\r\n\r\n")
        self.status = int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
        self.received = 0

    def close(self) -> None:
        """End it without a word."""
        self._link.close()

    def wait(self, seconds: float) -> None:
        """Wait so long for bytes from now on."""
        self._link.settimeout(seconds)

    def send(self, text: str) -> None:
        """Send one text message."""
        self.frame(0x80 | TEXT, text.encode())

    def frame(self, first: int, payload: bytes, *, masked: bool = True, length: int | None = None) -> None:
        """Send one frame with this first byte; unmasked, or with another length, if so wanted."""
        size, bit = len(payload) if length is None else length, 0x80 if masked else 0
        if size < 126:  # noqa: PLR2004 - RFC 6455 §5.2
            data = struct.pack("!BB", first, bit | size)
        elif size < 1 << 16:
            data = struct.pack("!BBH", first, bit | 126, size)
        else:
            data = struct.pack("!BBQ", first, bit | 127, size)
        # A mask of zeros is a mask: what hides payloads from caches on the way is of no use here.
        self._link.sendall(data + (bytes(4) if masked else b"") + payload)

    def receive(self) -> bytes:
        """Return the next whole message; empty when the other side has closed. Raises `OSError` (`TimeoutError`)."""
        message = b""
        while True:
            first, payload = self._frame()
            kind = first & 0x0F
            if kind == PING:
                self.frame(0x80 | PONG, payload)
            elif kind == CLOSE or not first:
                return b""
            elif kind != PONG:
                message += payload
                if first & 0x80:
                    return message

    def _frame(self) -> tuple[int, bytes]:
        start = self._exactly(2)
        if len(start) < 2:  # noqa: PLR2004 - a frame's first two bytes
            return 0, b""
        size = start[1] & 0x7F
        if size == 126:  # noqa: PLR2004 - RFC 6455 §5.2
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == 127:  # noqa: PLR2004 - RFC 6455 §5.2
            (size,) = struct.unpack("!Q", self._exactly(8))
        return start[0], self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._left], len(self._left)
        while have < size:
            part = self._link.recv(CHUNK * 4)
            if not part:
                return b""
            self.received += len(part)
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self._left = data[size:]
        return data[:size]

    def _until(self, end: bytes) -> bytes:
        data = b""
        with contextlib.suppress(OSError):
            while end not in data and (part := self._link.recv(CHUNK)):
                data += part
        answer, _, self._left = data.partition(end)
        return answer
