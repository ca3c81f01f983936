"""The fork server of the checker: enters a container, imports once, then forks a locked child per file.

Run as ``python -I -m enclave.airlock.sealing.zygote SOCKET WORKER [FOLDER]``; FOLDER is searched for the worker too.
It listens on an inherited socket (SOCK_SEQPACKET). One message is one job: JSON ``{"timeout_s", "memory_bytes",
"job"}`` with three descriptors: the input (read only), the output pipe, the status pipe, and up to 48 more to read
from, whose numbers the job then names (``descriptors``). The child writes one line with its barriers, then the worker's
answer; the server writes how the child ended on the status pipe. When the socket closes the server ends, and its
children with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from enclave.airlock.sealing import cell, seal
from enclave.airlock.sealing.turns import PATIENCE_S

MESSAGE_BYTES = 1 << 17
MORE_DESCRIPTORS = 48
TICK_MS = 1000
LAST = 19  # the lowest priority
# Optional to what imports them (statsmodels: polars), and start threads as they are imported.
NEVER_IMPORTED = ("polars",)


@dataclass(frozen=True)
class Child:
    """A running child: its process, where its end is reported, its start and when it is killed (monotonic seconds)."""

    pid: int
    pidfd: int
    status: int
    since: float
    deadline: float


class Zygote:
    """Serves jobs until its socket closes. ``held``: the barriers all children inherit."""

    def __init__(self, door: socket.socket, worker: ModuleType, container: cell.Cell, held: tuple[str, ...]) -> None:
        self.door, self.worker, self.cell, self.held = door, worker, container, held
        self.children: dict[int, Child] = {}

    def serve(self) -> None:
        """Take jobs, end children that ran too long, report how each child ended."""
        while True:
            poll = select.poll()
            for descriptor in (self.door.fileno(), *self.children):
                poll.register(descriptor, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(TICK_MS)}
            for pidfd in ready & set(self.children):
                self._reap(self.children.pop(pidfd))
            self._end_late(time.monotonic())
            if self.door.fileno() in ready and not self._take():
                return

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self.door, MESSAGE_BYTES, 3 + MORE_DESCRIPTORS)
        if not message:
            return False
        order = json.loads(message)
        source, output, status, *more = descriptors
        order["memory_bytes"] += self.cell.bytes_used()
        with self.cell.next_process() as held:
            pid = os.fork()
            if pid == 0:
                self._become(order, (source, output, *more), held)
        for passed_on in (source, output, *more):
            os.close(passed_on)
        pidfd = os.pidfd_open(pid)
        now = time.monotonic()
        self.children[pidfd] = Child(pid, pidfd, status, now, now + order["timeout_s"])
        return True

    def _become(self, order: dict[str, Any], ends: tuple[int, ...], held: tuple[str, ...]) -> NoReturn:
        # From here on this is the child. It never returns into the server's loop, whatever happens.
        try:
            source, output, *order["job"]["descriptors"] = _keep_only(*ends)
            self.cell.leave_server()
            held += seal.lock(memory_bytes=order["memory_bytes"], cpu_s=int(order["timeout_s"]) + 1)
            sealed = [*self.held, *held]
            if not seal.REQUIRED.issubset(sealed):
                os._exit(3)
            _write(output, json.dumps({"sealed": sealed}).encode() + b"\n")
            _write(output, self.worker.run(order["job"], source))
            os._exit(0)
        except BaseException:  # noqa: BLE001 - any failure of a sealed child is one answer: it failed
            os._exit(2)

    def _end_late(self, now: float) -> None:
        for child in self.children.values():
            if child.deadline <= now:
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
            elif child.since + PATIENCE_S <= now:
                os.setpriority(os.PRIO_PROCESS, child.pid, LAST)  # those that came later go first

    def _reap(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        ended = os.waitstatus_to_exitcode(status)
        with suppress(BrokenPipeError):  # the asker is gone; nobody wants to know
            os.write(child.status, str(ended).encode())
        os.close(child.status)
        os.close(child.pidfd)


def _keep_only(*descriptors: int) -> tuple[int, ...]:
    # Only what is to be read and the output survive, at fixed places: not the server's door, not other files' pipes.
    aside = range(100, 100 + len(descriptors))
    for descriptor, place in zip(descriptors, aside, strict=True):
        os.dup2(descriptor, place, inheritable=False)
    os.closerange(0, aside.start)
    os.closerange(aside.stop, 1 << 16)
    kept = tuple(os.dup2(place, 3 + at, inheritable=False) for at, place in enumerate(aside))
    os.closerange(aside.start, aside.stop)
    return kept


def _write(output: int, answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(output, view) :]


def main() -> None:
    """Start the server on the socket whose number is the first argument; the second names the worker module."""
    door = socket.socket(fileno=int(sys.argv[1]))
    sys.path.extend(sys.argv[3:])
    try:
        container = cell.enter((*seal.folders(), *cell.linked_folders(), *map(Path, sys.argv[3:])))
        for name in NEVER_IMPORTED:
            sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to make an import fail
        worker = importlib.import_module(sys.argv[2])
        worker.warm()
        held = (*container.held, *seal.never_again())
        if container.threads() != 1:
            raise RuntimeError("an import started a thread")  # noqa: TRY301 - told to the starter as any other reason
    except Exception as error:  # noqa: BLE001 - whatever stops the start is told to the starter, who fails closed
        door.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())
        return
    gc.collect()
    gc.freeze()  # what is loaded stays: a child that looked through it for rubbish would copy every page of it
    door.send(json.dumps({"sealed": held}).encode())
    Zygote(door, worker, container, held).serve()


if __name__ == "__main__":
    main()
