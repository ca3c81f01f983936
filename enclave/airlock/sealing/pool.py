"""The caller's side of the fork server: one job in, an answer or the reason why there is none.

The server is started on first use, kept, and started again if it died. Starting costs what the imports cost (seconds);
a job then costs a fork (milliseconds). Nothing of the caller's memory or environment is in it: it is a fresh program.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.airlock.sealing.turns import Turn, Turns

SERVER = "enclave.airlock.sealing.zygote"
START_S, GRACE_S = 60.0, 5.0
TICK_MS = 500
PIECE = 1 << 16
REPLY_BYTES = 1 << 13
# A clean environment: no secrets, one thread per numeric library (a fork keeps only one).
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # what pyarrow allocates with starts one otherwise
}


class SealedFailure(Exception):  # noqa: N818 - named for what happened; always turned into a report or an error
    """The sealed process gave no usable answer; ``why`` is a short technical reason without content of the file."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Answer:
    """What a sealed child said, and the barriers that held while it read the file."""

    body: bytes
    sealed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one job may use: seconds, bytes of memory beyond the server's own, bytes of answer."""

    timeout_s: float
    memory_bytes: int
    answer_bytes: int


class SealedPool:
    """Runs jobs in sealed children, ``parallel`` at a time and a few slow ones; safe to call from many threads.

    ``worker`` is a module with ``warm() -> None`` (imports everything) and ``run(job, descriptor) -> bytes``;
    ``folder`` is where it lies when it is not installed.
    """

    def __init__(
        self, worker: str = "enclave.airlock.worker", *, parallel: int = 2, folder: Path | None = None
    ) -> None:
        self.worker, self.folder = worker, folder
        self._turns = Turns(parallel)
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None

    def start(self) -> tuple[str, ...]:
        """Start the server if it does not run, so that the first file need not wait; raises `SealedFailure`."""
        with self._lock:
            if self._server is not None and self._server.poll() is None:
                return ()
            self._stop()
            return self._start()

    def close(self) -> None:
        """End the server and its children. The next job starts a new one."""
        with self._lock:
            self._stop()

    def run(self, job: dict[str, Any], descriptor: int, limits: Limits, more: Sequence[int] = ()) -> Answer:
        """Run one job over an open, readable descriptor. Raises `SealedFailure` for anything but a whole answer.

        ``more``: up to 48 further open descriptors; the worker finds their numbers in ``job["descriptors"]``.
        """
        with self._turns.take() as turn:
            out_read, out_write = os.pipe()
            status_read, status_write = os.pipe()
            try:
                try:
                    self._send(job, (descriptor, out_write, status_write, *more), limits)
                finally:
                    os.close(out_write)
                    os.close(status_write)
                deadline = time.monotonic() + limits.timeout_s + GRACE_S
                said = _read(out_read, limits.answer_bytes, deadline, turn)
                _check_ended_well(_read(status_read, 64, deadline, turn))
            finally:
                os.close(out_read)
                os.close(status_read)
        return _split(said)

    def _send(self, job: dict[str, Any], descriptors: Sequence[int], limits: Limits) -> None:
        order = {"timeout_s": limits.timeout_s, "memory_bytes": limits.memory_bytes, "job": job}
        message = json.dumps(order).encode()
        for _ in range(2):  # a server that died since the last job is replaced once
            self.start()
            with self._lock, suppress(OSError):
                if self._door is not None:
                    socket.send_fds(self._door, [message], descriptors)
                    return
            self.close()
        raise SealedFailure("the sealed server does not take jobs")

    def _start(self) -> tuple[str, ...]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(START_S)
        with theirs:
            # -I: neither the caller's folder nor its environment decides what is imported
            command = [sys.executable, "-I", "-m", SERVER, str(theirs.fileno()), self.worker]
            command += [] if self.folder is None else [str(self.folder)]
            null = subprocess.DEVNULL
            self._server = subprocess.Popen(
                command, env=ENVIRONMENT, cwd="/", pass_fds=(theirs.fileno(),), stdin=null, stdout=null, stderr=null
            )
        self._door = ours
        try:
            told = json.loads(ours.recv(REPLY_BYTES))
        except (OSError, ValueError):
            self._stop()
            raise SealedFailure("the sealed server did not start") from None
        if "error" in told:
            self._stop()
            raise SealedFailure(f"the sealed server did not start: {told['error']}")
        return tuple(told["sealed"])

    def _stop(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._server is not None:
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(timeout=GRACE_S)
            if self._server.poll() is None:
                self._server.kill()
                self._server.wait()
            self._server = None


def _read(descriptor: int, limit: int, deadline: float, turn: Turn) -> bytes:
    pieces: list[bytes] = []
    size = 0
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while True:
        turn.make_room()
        left_ms = int((deadline - time.monotonic()) * 1000)
        if left_ms <= 0:
            raise SealedFailure("it did not finish in time")
        if not poll.poll(min(left_ms, TICK_MS)):
            continue
        piece = os.read(descriptor, PIECE)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > limit:
            raise SealedFailure("it answered more than it may")
        pieces.append(piece)


def _check_ended_well(status: bytes) -> None:
    code = int(status) if status else None
    if code == 0:
        return
    if code == -signal.SIGKILL:
        raise SealedFailure("it was ended: too long or too much memory")
    raise SealedFailure(f"it broke off (status {code})")


def _split(said: bytes) -> Answer:
    head, separator, body = said.partition(b"\n")
    try:
        sealed = json.loads(head)["sealed"]
    except (ValueError, KeyError, TypeError):
        raise SealedFailure("it answered nothing usable") from None
    if not separator or not body:
        raise SealedFailure("it answered nothing usable")
    return Answer(body, tuple(str(name) for name in sealed))
