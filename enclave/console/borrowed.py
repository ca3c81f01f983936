"""Acting as a folder's owner for a while, and as root again for what only root may: the hospital's own files.

Private texts and files of missed values lie where root alone reads; the database belongs to the service. Only
the effective ids change: this process is root's from its first line to its last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enclave.console.acting import groups_of


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """As root, be the owner of `folder` inside the block; otherwise, or if root owns it, change nothing."""
    if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        yield
        return
    owner, group = folder.stat().st_uid, folder.stat().st_gid
    groups, mine = os.getgroups(), os.getegid()
    os.setgroups(groups_of(owner, group))
    os.setegid(group)
    os.seteuid(owner)
    # The sequencer is in the folder's group and reads and numbers entries.
    mask = os.umask(0o007)
    try:
        yield
    finally:
        os.umask(mask)
        os.seteuid(0)
        os.setegid(mine)
        os.setgroups(groups)


@contextmanager
def as_root() -> Iterator[None]:
    """Inside `as_owner_of`, be root again inside the block; where this process never was root, change nothing."""
    if os.geteuid() == 0 or os.getuid() != 0:
        yield
        return
    user, group, groups = os.geteuid(), os.getegid(), os.getgroups()
    os.seteuid(0)
    os.setegid(0)
    try:
        yield
    finally:
        os.setgroups(groups)
        os.setegid(group)
        os.seteuid(user)
