"""One run at a time in a folder: the lock is the kernel's, and ends with the process however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deid.errors import OutputError


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Keep other runs out of an output folder, which is made. Raises `OutputError` (`deid.folder-busy`); `OSError`."""
    out.mkdir(parents=True, exist_ok=True)
    lock = locked(out)
    if lock is None:
        raise busy(out)
    try:
        yield
    finally:
        os.close(lock)


def busy(out: Path) -> OutputError:
    """Say that a run is going on in a folder."""
    return OutputError(
        "deid.folder-busy",
        f"{out}에서 수행이 이미 돌고 있습니다.",
        f"A run is already going on in {out}.",
        remedy_ko="끝나기를 기다리거나 그 프로세스를 끝내고 다시 실행하세요.",
        remedy_en="Wait for its end, or end that process and run again.",
    )


def locked(folder: Path) -> int | None:
    """Lock a folder until the descriptor is closed, or the process ends; None while another has it."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
