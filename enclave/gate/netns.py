"""Sockets inside a container's network namespace, made from outside.

One fact carries the relay: a socket keeps the network namespace in which it was created, whoever uses it later
(network_namespaces(7)). `setns` changes only the calling thread, so each socket is made in a thread of its own
that then ends.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def _enter(netns: int) -> None:
    if LIBC.setns(netns, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def open_inside(netns: int, make: Callable[[], socket.socket]) -> socket.socket:
    """Call `make()` in the network namespace of the descriptor `netns`; its socket stays there. Raises `OSError`."""
    box: dict[str, Any] = {}

    def work() -> None:
        try:
            _enter(netns)
            box["made"] = make()
        except BaseException as error:  # noqa: BLE001 - handed to the caller below, whatever it is
            box["error"] = error

    # Never a thread of a pool: it could not come back.
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    made: socket.socket = box["made"]
    return made


def hold(pid: int) -> int:
    """Return a descriptor of the network namespace of `pid`; held for the container's life. Raises `OSError`."""
    return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def listen_inside(netns: int, port: int) -> socket.socket:
    """Return a listening socket on 127.0.0.1:`port` inside; raises `OSError` (EADDRINUSE) if somebody was first."""

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # REUSEADDR for connections that linger; never REUSEPORT, with which user code could share the port.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(("127.0.0.1", port))
            made.listen(64)
            made.settimeout(0)
        except OSError:
            made.close()
            raise
        return made

    return open_inside(netns, make)


def socket_inside(netns: int) -> socket.socket:
    """Return a fresh, unconnected, non-blocking TCP socket inside."""

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.settimeout(0)
        return made

    return open_inside(netns, make)
