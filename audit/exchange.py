"""One HTTP exchange that ends: after so many seconds counted from its beginning, and after so many bytes.

HTTP libraries limit each read. A server that sends a byte at a time, or never stops, keeps whoever reads it for ever.
Here the connection is cut when the time is over, whatever goes on on it. Standard library only; nothing of the
machine's environment (proxies) decides whom it talks to, and TLS is checked against the machine's own store.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit


class NoAnswerError(OSError):
    """There was no whole answer: nobody there, cut off, too late (`is_late`) or too large."""

    def __init__(self, why: str, *, is_late: bool = False) -> None:
        super().__init__(why)
        self.is_late = is_late


class Ask(NamedTuple):
    """What is asked: an http or https address; `unix`: the socket at which its server listens instead."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    unix: str = ""


class Limits(NamedTuple):
    """How many seconds the whole may take, and how many bytes of body are read.

    Finding an address by its name comes first, and is the resolver's.
    """

    seconds: float
    body_bytes: int = 1 << 20


class Answer(NamedTuple):
    """What was answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(ask: Ask, limits: Limits) -> Answer:
    """Ask once and return the answer, whatever its status; redirects are not followed. Raises `NoAnswerError`."""
    end = time.monotonic() + limits.seconds
    try:
        address = urlsplit(ask.url)
        with _line(ask, address, end) as line, _cut(line, end) as is_cut:
            answer = _talk(ask, address, line, limits, end)
            # What a cut connection gave may look like a whole answer.
            if is_cut():
                raise TimeoutError
    except (OSError, HTTPException, ValueError) as error:
        is_late = time.monotonic() >= end
        why = "TimeoutError" if is_late else str(error) if isinstance(error, NoAnswerError) else type(error).__name__
        raise NoAnswerError(why, is_late=is_late) from error
    return answer


def _line(ask: Ask, address: SplitResult, end: float) -> socket.socket:
    if ask.unix:
        return _connected([(socket.AF_UNIX, ask.unix)], end)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError(f"not an address: {address.scheme}")
    port = address.port or (443 if address.scheme == "https" else 80)
    found = socket.getaddrinfo(address.hostname, port, type=socket.SOCK_STREAM)
    return _connected([(family, at) for family, _, _, _, at in found], end)


def _connected(places: list[tuple[socket.AddressFamily, Any]], end: float) -> socket.socket:
    """Connect to the first place that takes us; each has its share of the time, so that a dead one leaves some."""
    failed = OSError("no address")
    for left, (family, at) in zip(range(len(places), 0, -1), places, strict=True):
        line = socket.socket(family)
        try:
            line.settimeout(max(0.01, (end - time.monotonic()) / left))
            line.connect(at)
        except OSError as error:
            line.close()
            failed = error
        except BaseException:  # nothing of it stays
            line.close()
            raise
        else:
            return line
    raise failed


@contextmanager
def _cut(line: socket.socket, end: float) -> Iterator[Callable[[], bool]]:
    """Cut the connection at `end`; gives a way to learn whether that was done."""
    # A second name of the same connection: the first becomes a TLS socket's, and whoever holds it may wait in it.
    handle, late = line.dup(), threading.Event()

    def cut() -> None:
        """End it in both directions; whoever reads is woken."""
        late.set()
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, end - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()
        timer.join()
        # Whoever still holds the connection, a half-read answer for one, holds nothing any more.
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)
        handle.close()


def _talk(ask: Ask, address: SplitResult, line: socket.socket, limits: Limits, end: float) -> Answer:
    # Each wait has the rest of the time, too; the cut is for a server that always sends something.
    line.settimeout(max(0.01, end - time.monotonic()))
    host = address.hostname or "localhost"
    connection: HTTPConnection
    if address.scheme == "https":
        connection = HTTPSConnection(host, address.port)
        line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
    else:
        connection = HTTPConnection(host, address.port)
    connection.sock = line
    try:
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request(ask.method, target, ask.body or None, {**ask.headers, "Connection": "close"})
        with closing(connection.getresponse()) as answer:
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, _body(answer, limits.body_bytes))
    finally:
        connection.close()


def _body(answer: HTTPResponse, most: int) -> bytes:
    body = answer.read(most + 1)
    if len(body) > most:
        raise NoAnswerError("too large")
    if answer.length:
        raise NoAnswerError("cut off")
    return body
