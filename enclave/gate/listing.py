"""The names of files in a volume that could be collected. Hostile like all that lies there: nothing is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from enclave.gate.collector import FOLDER, usable
from enclave.gate.limits import ListedFile

MOST = 500
# Bounds the work, not the answer: a folder may hold a million names.
LOOKED_AT = 5_000


def listing(root: Path, most: int = MOST) -> tuple[list[ListedFile], int]:
    """Return plain files as `name` or `folder/name`, sorted, and how many entries were left out.

    Left out: links, devices, names that cannot be collected, folders in folders, and what is over `most`.
    """
    descriptor = os.open(root, FOLDER)
    try:
        found, left_out = _files(descriptor)
    finally:
        os.close(descriptor)
    found.sort(key=lambda file: file.name)
    return found[:most], left_out + max(0, len(found) - most)


def _files(root: int) -> tuple[list[ListedFile], int]:
    found: list[ListedFile] = []
    left_out = looked_at = 0
    for prefix, folder in _folders(root):
        for entry in os.scandir(folder):
            looked_at += 1
            if looked_at > LOOKED_AT:
                return found, left_out + 1
            file = _file(prefix, entry)
            if file is not None:
                found.append(file)
            elif prefix or not entry.is_dir(follow_symlinks=False):
                left_out += 1
    return found, left_out


def _folders(root: int) -> Iterator[tuple[str, int]]:
    """Yield the root and each usable folder in it, as (prefix of names, descriptor)."""
    yield "", root
    for name in sorted(os.listdir(root)[:LOOKED_AT]):
        if not usable(name):
            continue
        try:
            descriptor = os.open(name, FOLDER, dir_fd=root)
        except OSError:  # a file, a link, or gone
            continue
        try:
            yield f"{name}/", descriptor
        finally:
            os.close(descriptor)


def _file(prefix: str, entry: os.DirEntry[str]) -> ListedFile | None:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if not usable(entry.name) or not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
        return None
    return ListedFile(prefix + entry.name, info.st_size, int(info.st_mtime))
