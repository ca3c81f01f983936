"""A relay between two TCP ports that keeps every byte that passes, in either direction."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def overheard(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """Listen on a port of its own and pass everything on to `port`; gives its number and what was heard so far."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_serve, args=(server, port, heard), daemon=True).start()
        yield server.getsockname()[1], heard


def _serve(server: socket.socket, port: int, heard: list[bytes]) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", port))
        except OSError:
            # Whoever is overheard is gone already; the one who comes late hears that as they would without us.
            near.close()
            continue
        for source, target in ((near, far), (far, near)):
            Thread(target=_pass_on, args=(source, target, heard), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, heard: list[bytes]) -> None:
    try:
        while data := source.recv(1 << 16):
            heard.append(data)
            target.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, target):
            end.close()
