"""A folder named by its content: what was approved is what is mounted (korea.md R35).

The name is the SHA-256 of canonical JSON over every file's path, hash and size; only plain files in plain folders
have one. The portal names a folder when it writes it, the gate computes the name again before each mount.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FORMAT = "ansim-tree-v1"


class NotATree(ValueError):  # noqa: N818 - says what it is
    """Something in the folder is neither a plain file nor a folder."""


@dataclass(frozen=True, order=True)
class Leaf:
    """One file: its path below the folder with `/` between the parts, its SHA-256 in hexadecimal, its size in bytes."""

    path: str
    sha256: str
    size: int


def tree_sha256(leaves: Iterable[Leaf]) -> str:
    """Return the name of a folder that holds exactly these files: 64 hexadecimal digits."""
    body = {"files": [[leaf.path, leaf.sha256, leaf.size] for leaf in sorted(leaves)], "format": FORMAT}
    return hashlib.sha256(
        json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def leaves_of(folder: int) -> Iterator[Leaf]:
    """Yield the files below an open folder (a descriptor, O_PATH will do); no link is followed.

    Raises `NotATree` for a link, a device, a socket; `OSError` for what cannot be read.
    """
    for place, folders, names, here in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        links = [name for name in folders if stat.S_ISLNK(os.lstat(name, dir_fd=here).st_mode)]
        if links:
            raise NotATree(f"a link: {links[0]!a}")
        for name in names:
            yield _leaf(os.path.normpath(os.path.join(place, name)), name, here)  # noqa: PTH118 - no disk is asked


def _leaf(path: str, name: str, here: int) -> Leaf:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotATree(f"no plain file: {path!a}")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Leaf(path, digest, os.fstat(descriptor).st_size)
