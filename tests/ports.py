"""Ports for servers that are told theirs before they take it."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack

# Below those that the kernel gives to whoever asks for any (from 32768), above those of the end-to-end tests.
FIRST, LAST = 20_000, 31_999


def free_ports(count: int) -> list[int]:
    """Return ports that nobody has now, and that no connection of another test is given meanwhile."""
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            # Not from `random`: its seed is the same in every test, and so would be the ports of two processes.
            port = FIRST + secrets.randbelow(LAST - FIRST + 1)
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
        return found


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]
