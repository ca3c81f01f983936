"""The neighbour's honest work while the drill attacks: it keeps a value going and takes one of each thing it needs.

Not a list of attacks: started as a thread in the neighbour's kernel, asked at the end what failed and when. What it
does in each tick is what any notebook does: a file, a process, a timer, a watch, a queue, a descriptor to wait for.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
TICK_S = 0.2
HOME = Path("/home/analyst/work")


def _failed(what: str, result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), what)
    return result


def work() -> None:
    """Do one tick's work; raises `OSError` naming what could not be had."""
    os.close(_failed("inotify", LIBC.inotify_init1(0)))
    queue = f"/tick-{os.getpid()}".encode()
    attributes = (ctypes.c_long * 8)(0, 2, 64, 0)
    os.close(_failed("message queue", LIBC.mq_open(queue, os.O_CREAT | os.O_RDWR, 0o600, ctypes.byref(attributes))))
    LIBC.mq_unlink(queue)
    timer = ctypes.c_void_p()
    _failed("timer", LIBC.timer_create(1, None, ctypes.byref(timer)))
    LIBC.timer_delete(timer)
    with socket.socket() as link, select.epoll() as waiting:
        waiting.register(link, select.EPOLLIN)
    note = HOME / "tick"
    note.write_bytes(os.urandom(4096))
    note.read_bytes()
    subprocess.run(["/usr/bin/env", "true"], check=True)
    threading.Thread(target=len, args=("",)).start()


class Neighbour:
    """The ticking and what came of it."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.ticks: list[float] = []
        self.failures: list[tuple[float, str]] = []
        self._stop = threading.Event()
        (HOME / facts["neighbour"]["file"]).write_text(facts["neighbour"]["text"])
        (Path("/tmp") / facts["neighbour"]["file"]).write_text(facts["neighbour"]["text"])
        self._listening = self._listen(facts["neighbour"])
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("0.0.0.0", facts["neighbour"]["port"]))
        threading.Thread(target=self._keep, daemon=True).start()

    def _listen(self, mine: dict[str, Any]) -> list[socket.socket]:
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0" + mine["abstract"])
        port = socket.socket()
        port.bind(("0.0.0.0", mine["port"]))
        for each in (abstract, port):
            each.listen()
        return [abstract, port]

    def _keep(self) -> None:
        while not self._stop.wait(TICK_S):
            try:
                work()
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                self.failures.append((time.monotonic(), str(error)[:80]))
            self.ticks.append(time.monotonic())

    def report(self) -> dict[str, Any]:
        """Return the moments of all ticks, what failed, this workspace's user id, and datagrams that came since."""
        ticks = [round(t, 2) for t in self.ticks]
        return {"ticks": ticks, "failures": self.failures, "uid": os.getuid(), "heard": list(self._heard())}

    def _heard(self) -> Iterator[str]:
        self._datagrams.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                yield self._datagrams.recv(64).decode("latin-1")

    def stop(self) -> None:
        """End the work."""
        self._stop.set()
