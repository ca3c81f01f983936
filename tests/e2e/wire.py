"""Raw bytes to a port, as an attacker sends them: no client library corrects anything on the way."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"


def say(port: int, data: bytes, *, timeout_s: float = 10) -> bytes:
    """Send the bytes, return everything that comes back until the other side ends (or is silent)."""
    with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as link:
        link.sendall(data)
        said = b""
        with suppress(OSError):
            while part := link.recv(65536):
                said += part
        return said


def head(line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request; `line` is method and target."""
    return "\r\n".join([f"{line} HTTP/1.1", *headers, "", ""]).encode("latin-1") + body


def statuses(said: bytes) -> list[int]:
    """Return the status of each answer in what came back."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", said)]


def half_open(port: int, data: bytes, count: int) -> list[socket.socket]:
    """Open this many connections and begin a request on each, without ever ending it."""
    held = []
    for _ in range(count):
        link = socket.create_connection((LOOPBACK, port), timeout=10)
        link.sendall(data)
        held.append(link)
    return held
