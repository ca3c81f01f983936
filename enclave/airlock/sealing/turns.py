"""Who may run now: a few files at a time, and one that takes long lets others pass (a bomb must not hold up the rest).

A job begins with a turn. After ``PATIENCE_S`` it gives the turn back and goes on among the slow ones, of which there
are only ``SLOW``; while these are full it keeps its turn. There are never more than ``parallel + SLOW`` children.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 2.0
SLOW = 4


class Turn:
    """The turn of one running job; `make_room` is called now and then while it is waited for."""

    def __init__(self, quick: threading.Semaphore, slow: threading.Semaphore) -> None:
        self._held, self._slow = quick, slow
        self._since = time.monotonic()

    def make_room(self) -> None:
        """Let somebody else begin if this job has had its time and there is a place among the slow ones."""
        if self._held is not self._slow and self.is_late and self._slow.acquire(blocking=False):
            self._held.release()
            self._held = self._slow

    @property
    def is_late(self) -> bool:
        """Whether the job has run longer than a usual one."""
        return time.monotonic() - self._since > PATIENCE_S

    def end(self) -> None:
        """Give back what the job holds."""
        self._held.release()


class Turns:
    """Hands out turns, ``parallel`` at a time."""

    def __init__(self, parallel: int) -> None:
        self._quick = threading.BoundedSemaphore(parallel)
        self._slow = threading.BoundedSemaphore(SLOW)

    @contextmanager
    def take(self) -> Iterator[Turn]:
        """Wait for a turn, and hold it until the job is done."""
        self._quick.acquire()
        turn = Turn(self._quick, self._slow)
        try:
            yield turn
        finally:
            turn.end()
