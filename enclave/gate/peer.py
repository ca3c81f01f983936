"""Who is at the other end of a unix socket: the kernel says so (unix(7), SO_PEERCRED)."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


def peer_uid(writer: asyncio.StreamWriter) -> int:
    """Return the user id of the process that connected."""
    link = cast("socket.socket", writer.get_extra_info("socket"))
    raw = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(raw)[1])
