"""Calls into the Linux kernel that Python 3.11 has no function for, each raising `OSError` when refused."""

from __future__ import annotations

import ctypes
import os
from typing import Any

# use_errno: ctypes keeps errno for us; CDLL(None) is the C library this process already runs on.
_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
MOUNT_SETATTR, PIVOT_ROOT = 442, 155  # the first is the same everywhere, the second x86_64's, as the seccomp list
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
AT_RECURSIVE, AT_FDCWD = 0x8000, -100

_CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h: two 32-bit words per set


def system_call(number: int, *arguments: Any) -> int:
    """Make a raw system call; pointers are passed as ctypes objects, numbers as 64-bit values."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_LIBC.syscall(ctypes.c_long(number), *passed))


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process (prctl(2))."""
    zero = ctypes.c_ulong(0)
    _checked(_LIBC.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))


def unshare(flags: int) -> None:
    """Move this process into new namespaces (unshare(2))."""
    _checked(_LIBC.unshare(ctypes.c_int(flags)))


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that the descriptor stands for (setns(2)); of processes only children do."""
    _checked(_LIBC.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)))


def mount(source: str, target: str, kind: str = "", *, flags: int = 0, options: str = "") -> None:
    """Attach a file system, or with MS_BIND a folder, at ``target`` (mount(2))."""
    texts = [text.encode() or None for text in (source, target, kind)]
    _checked(_LIBC.mount(*texts, ctypes.c_ulong(flags), options.encode() or None))


def make_read_only(folder: str) -> None:
    """Forbid writing, devices and set-user-id in the mount at ``folder`` and all below it (mount_setattr(2), 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    system_call(MOUNT_SETATTR, AT_FDCWD, ctypes.c_char_p(folder.encode()), AT_RECURSIVE, attributes, size)


def change_root(folder: str) -> None:
    """Make ``folder``, a mount, the root of this process and let go of everything outside it (pivot_root(2))."""
    os.chdir(folder)
    here = ctypes.c_char_p(b".")
    system_call(PIVOT_ROOT, here, here)
    _checked(_LIBC.umount2(here, ctypes.c_int(MNT_DETACH)))
    os.chdir("/")


def drop_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets (capset(2))."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    empty = (ctypes.c_uint32 * 6)()
    _checked(_LIBC.capset(header, empty))


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
