"""Two servers in one process: pages and APIs on a loopback port, the hub's core API on a unix socket.

Whoever can reach the core API can ask for log-ins and workspace plans, so the door is shut twice: the socket file
belongs to one group (mode 0660), and each connection's peer must be one of the users named here (SO_PEERCRED).
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import pwd
import signal
import socket
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

LOG = logging.getLogger("ansim.portal")
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)
GRACE_S = 10


class QuietServer(uvicorn.Server):
    """A server that leaves the signals to `run`, since two of them share the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def peer_checked(allowed: Collection[int]) -> type[H11Protocol]:
    """Return an HTTP protocol that drops every connection whose peer runs under another user id."""

    class PeerChecked(H11Protocol):
        """HTTP over a socket whose peer the kernel names."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
            """Drop the connection of a user who is not allowed."""
            super().connection_made(transport)
            uid = peer_uid(transport.get_extra_info("socket"))
            if uid not in allowed:
                LOG.warning("core API: connection of user %s refused", uid)
                transport.abort()

    return PeerChecked


def peer_uid(connection: socket.socket) -> int:
    """Return the user id at the other end of a unix socket, as the kernel recorded it when it connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(raw)[1])


def uids(*users: str) -> set[int]:
    """Return the ids of those users that exist here, of root, and of this process."""
    found = {0, os.geteuid()}
    for user in users:
        with contextlib.suppress(KeyError):
            found.add(pwd.getpwnam(user).pw_uid)
    return found


def core_socket(path: Path, group: str) -> socket.socket:
    """Listen on a unix socket at `path`, mode 0660, owned by `group` if this machine has it and we may give it.

    A socket left behind by a killed process is replaced; one that still answers is not.
    Raises: OSError if another process is listening there or the folder is missing.
    """
    if path.is_socket():
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise OSError(f"{path}: another portal is listening here; stop it first")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # so that nobody can connect between bind and chmod
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except (KeyError, PermissionError):
        LOG.warning("%s keeps its own group: there is no group %s here, or we are not in it", path, group)
    path.chmod(0o660)
    listener.listen(128)
    return listener


def loopback_socket(port: int) -> socket.socket:
    """Listen on 127.0.0.1. Raises: OSError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def run(
    pages: ASGIApp, pages_at: socket.socket, core: ASGIApp, core_at: socket.socket, allowed: Collection[int]
) -> None:
    """Serve both until SIGTERM or SIGINT; open answers get ten seconds to finish."""
    servers = [
        (QuietServer(_config(pages, "h11")), pages_at),
        (QuietServer(_config(core, peer_checked(allowed))), core_at),
    ]
    asyncio.run(_serve(servers))


def _config(app: ASGIApp, http: Any) -> uvicorn.Config:
    """Return the settings of one server. Whose address a request has is told by `enclave.forwarded`, not by uvicorn.

    uvicorn skips the addresses it trusts wherever they stand, so a browser on this machine could name any other.
    """
    return uvicorn.Config(
        app,
        http=http,
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


async def _serve(servers: list[tuple[QuietServer, socket.socket]]) -> None:
    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in servers]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop()  # one without the other is of no use
    await asyncio.gather(*tasks)
    for task in done:
        task.result()
