"""A worker process: `python -m deid.folder.worker FD` takes files over a socket and gives back what became of them.

It is a process of its own and not a fork: a fork of one that has threads (onnxruntime, Polars) may never wake up.
`multiprocessing` would first run the parent's own program again, the whole command line, in each.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from deid.folder import one

READY = "ready"
Task = tuple[int, str]


def main(descriptor: int) -> None:
    """Work until the parent closes its end, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends us
    parent: Connection = Connection(descriptor)
    work = parent.recv()
    tasks: SimpleQueue[Task] = SimpleQueue()
    Thread(target=_listen, args=(parent, tasks), daemon=True).start()
    parent.send(READY)
    with seldom_collected():
        while True:
            parent.send(one.process(work, *tasks.get()))


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles of objects seldom: a file is thousands of small ones without any, and looking costs a sixth."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _listen(parent: Connection, tasks: SimpleQueue[Task]) -> None:
    """Take what is given. Where nobody is left to give anything, nothing more may be written: not even this file."""
    try:
        while True:
            for task in parent.recv():
                tasks.put(task)
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
