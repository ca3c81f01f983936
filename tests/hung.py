"""Servers that hang: real ones stopped with SIGSTOP, or a relay before a real one that keeps its bytes back.

A stopped server keeps its sockets, and the kernel takes connections and acknowledges what is sent for it. One that
sends a byte at a time is worse: every read gets an answer, and the whole never comes.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def hung(cluster: Path) -> Iterator[None]:
    """Stop the PostgreSQL server of this run for the length of the block; nothing else of this run may want it."""
    head = int((cluster / "data" / "postmaster.pid").read_text().split()[0])
    stopped = [head]
    try:
        # The first one first: it makes the others.
        os.kill(head, signal.SIGSTOP)
        for child in _children(head):
            os.kill(child, signal.SIGSTOP)
            stopped.append(child)
        yield
    finally:
        for process in stopped:
            # One that had ended already is gone as soon as the first one goes on.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop one process for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


class Relay:
    """Stands before a real server: lets its answers through, or (`drips`) one byte every tenth of a second.

    `listener` is bound where clients are to come; `connect` reaches the server.
    """

    PAUSE_S = 0.1

    def __init__(self, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self._listener, self._connect = listener, connect
        self.drips, self.came = False, 0
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        listener.listen(64)
        self._start(self._accept)

    def close(self) -> None:
        self._over.set()
        for line in (self._listener, *self._open):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _start(self, act: Callable[..., None], *given: socket.socket) -> None:
        threading.Thread(target=act, args=given, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                client = self._listener.accept()[0]
                self.came += 1
                self._open.append(client)
                server = self._connect()
                # Reset at the end: a server with more to say may wait a minute for one that only says goodbye.
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._open.append(server)
                self._start(self._pass, client, server)
                self._start(self._answer, server, client)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def _answer(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sent = 0
                while sent < len(data):
                    dripping = self.drips
                    end = sent + 1 if dripping else len(data)
                    target.sendall(data[sent:end])
                    sent = end
                    if dripping and self._over.wait(self.PAUSE_S):
                        return
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def before(connect: Callable[[], socket.socket], at: Path | None = None) -> Iterator[tuple[Relay, socket.socket]]:
    """Run a relay at a unix socket, or at a free port of loopback; yields it with its listening socket."""
    listener = socket.socket(socket.AF_INET if at is None else socket.AF_UNIX)
    listener.bind(("127.0.0.1", 0) if at is None else str(at))
    relay = Relay(listener, connect)
    try:
        yield relay, listener
    finally:
        relay.close()


def to(address: str | tuple[str, int] | Path) -> Callable[[], socket.socket]:
    """Return a way to a real server: a path, or host and port."""

    def connect() -> socket.socket:
        line = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
        line.connect(address if isinstance(address, tuple) else str(address))
        return line

    return connect


@contextmanager
def relaying(at: Path, target: Path) -> Iterator[int]:
    """Run a relay between two unix sockets as a process of its own, to be stopped; yields its id."""
    command = [sys.executable, "-m", "tests.hung", str(at), str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline(), "the relay did not start"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


if __name__ == "__main__":
    with before(to(Path(sys.argv[2])), Path(sys.argv[1])):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.pause()
