"""Where a run's results lie until they are sealed: a hidden folder beside the snapshots that only its owner enters.

It outlives a run that was killed, so that the next one goes on (`journal.py`); of a run that ended, in whatever way,
nothing stays. Its name says with what it was made: another recipe, other keys, another list of who withdrew, another
source, and it is swept. So it is after the machine was started again: what was not on the disk by then is not known.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deid.folder import journal
from deid.folder.locks import busy, locked

PREFIX, DIGITS = ".plain", 16
BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextmanager
def work_folder(out: Path, dataset: str, *made_with: str | bytes) -> Iterator[Path]:
    """Give the folder, with what a killed run of the very same did in it. Ctrl-C leaves it as a kill does.

    Raises `OutputError` (`deid.folder-busy`) while another run of the same is in it; `OSError`.
    """
    folder = out / f"{PREFIX}-{dataset}-{_digest(made_with)}"
    out.mkdir(parents=True, exist_ok=True)
    _sweep(out, dataset, folder.name)
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = locked(folder)
    if lock is None:
        raise busy(out)
    stopped = False
    try:
        if not (folder / journal.NAME).exists():
            # Killed after its files were written: which of them are sealed already, nobody knows.
            _clear(folder)
        yield folder
    except KeyboardInterrupt:
        stopped = True
        raise
    finally:
        if not stopped:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _clear(folder: Path) -> None:
    # Not the folder itself: the lock is on it.
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _digest(made_with: tuple[str | bytes, ...]) -> str:
    boot = ""
    with suppress(OSError):
        boot = BOOT.read_text()
    parts = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape") for part in made_with]
    return hashlib.sha256(b"\0".join([boot.encode(), *parts])).hexdigest()[:DIGITS]


def _sweep(out: Path, dataset: str, mine: str) -> None:
    """Remove what killed runs of the data set left that were made with something else."""
    form = re.compile(rf"{re.escape(f'{PREFIX}-{dataset}-')}[0-9a-f]{{{DIGITS}}}")
    for folder in out.iterdir():
        if form.fullmatch(folder.name) and folder.name != mine and (lock := locked(folder)) is not None:
            shutil.rmtree(folder)
            os.close(lock)
