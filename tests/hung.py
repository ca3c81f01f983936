"""A PostgreSQL server that hangs: all its processes stopped, its sockets open, the kernel acknowledging for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def hung(cluster: Path) -> Iterator[None]:
    """Stop the server of this run for the length of the block; nothing else of this run may want it meanwhile."""
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


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
