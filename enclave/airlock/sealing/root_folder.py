"""The root folder of a sealed process: an empty file system with the folders it reads, all of it read-only.

There is no /proc, no /dev, no /tmp and no /var in it: what is not there needs no rule that hides it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from enclave.airlock.sealing import kernel

# Where it is put together, in a mount namespace of our own: a folder of every Linux that never holds a library.
SITE = Path("/sys")
# Where the kernel and the linker look for the C library by name; on most systems links into /usr.
LINKED = (Path("/lib"), Path("/lib64"))
OPTIONS = "size=1m,mode=755"


def build(folders: Iterable[Path]) -> None:
    """Put together a root of ``folders``; needs a mount namespace of its own, in which /sys is lost to it.

    Raises `OSError` when the kernel refuses.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("none", str(SITE), "tmpfs", flags=flags, options=OPTIONS)
    for link in LINKED:
        if link.is_symlink():
            _inside(link).symlink_to(link.readlink())
    os.umask(0o022)  # for a process that becomes nobody, whatever the service that started it keeps from others
    for folder in _topmost(folders):
        _inside(folder).mkdir(parents=True, exist_ok=True)
        kernel.mount(str(folder), str(_inside(folder)), flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.make_read_only(str(SITE))


def change() -> None:
    """Move this process, and all others of its mount namespace, into the root that `build` made."""
    # Bound once more: a mount that comes from before a user namespace is locked to its place and can be no root.
    kernel.mount(str(SITE), str(SITE), flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.change_root(str(SITE))


def _inside(path: Path) -> Path:
    return SITE / path.relative_to("/")


def _topmost(folders: Iterable[Path]) -> list[Path]:
    # A folder inside another one comes along with it.
    there = {folder.absolute() for folder in folders if folder.is_dir()}
    return sorted(one for one in there if there.isdisjoint(one.parents))
