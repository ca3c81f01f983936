"""Durable writes into the log folder: temporary file, fsync, rename, fsync of the folder.

A file, once under its name, never changes; only `checkpoint` is replaced. Bundles go by a recorded order alone.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from audit.tiles import CHECKPOINT, Tile

TEMPORARY = ".new-"
_LIBC = ctypes.CDLL(None, use_errno=True)


def write_new(folder: Path, files: Mapping[Tile, bytes]) -> None:
    """Write tiles durably; raise FileExistsError naming the path when one exists with other content."""
    touched = set()
    for tile, data in files.items():
        path = folder / tile.path
        if path.exists():
            if path.read_bytes() != data:
                raise FileExistsError(tile.path)
            continue
        touched |= _make_folders(path.parent)
        _write(folder, path, data)
    for directory in sorted(touched):
        _sync_folder(directory)


def write_checkpoint(folder: Path, note: bytes) -> None:
    """Replace the checkpoint durably: readers see the old or the new one, whole."""
    _write(folder, folder / CHECKPOINT, note)
    _sync_folder(folder)


def write_file(path: Path, data: bytes) -> None:
    """Write or replace one file durably: readers see the old or the new one, whole."""
    _write(path.parent, path, data)
    _sync_folder(path.parent)


def settle(folder: Path) -> None:
    """Make durable what an earlier writer left, and remove its temporary files; raise OSError when the disk cannot.

    Killed between a rename and the sync of the folder, it left a tile that everybody sees and no disk has; the next
    checkpoint would sign it.
    """
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # syncfs(2): one call for all of the folder's file system. Python has only sync(2), for all there are.
        if _LIBC.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


def remove_partials(folder: Path, tile: Tile) -> None:
    """Remove the partial versions of a tile that is now full and published (allowed by tlog-tiles)."""
    directory = (folder / tile.path).with_name((folder / tile.path).name + ".p")
    if directory.is_dir():
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def remove(folder: Path, paths: Iterable[Path]) -> None:
    """Remove files of the log folder for good, one after the other, and the folders that this empties."""
    touched = set()
    for path in paths:
        path.unlink(missing_ok=True)
        touched.add(path.parent)
    for directory in sorted(touched, reverse=True):
        if not directory.exists():
            continue
        _sync_folder(directory)
        empty = directory
        while empty != folder and not any(empty.iterdir()):
            empty.rmdir()
            empty = empty.parent
            _sync_folder(empty)


def _make_folders(directory: Path) -> set[Path]:
    """Create missing folders; return those whose list of names changes by this or by a file put into it."""
    touched = {directory}
    missing = directory
    while not missing.exists():
        touched.add(missing.parent)
        missing = missing.parent
    directory.mkdir(parents=True, exist_ok=True)
    # The log is for everybody to read, whatever the umask of whoever runs the sequencer.
    for folder in [each for each in (directory, *directory.parents) if each in touched and each != missing]:
        folder.chmod(0o755)
    return touched


def _write(folder: Path, path: Path, data: bytes) -> None:
    temporary = folder / f"{TEMPORARY}{os.getpid()}"
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _sync_folder(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
