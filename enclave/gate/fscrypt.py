"""File-system encryption of the kernel (fscrypt, policy version 2), by ioctl: no tool of the host is needed.

Structures and numbers are those of `linux/fscrypt.h`; what they do: the kernel's Documentation/filesystems/
fscrypt.rst. Contents are AES-256-XTS, names AES-256-CBC-CTS, each file with a key of its own derived from the volume's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPEC_IDENTIFIER = 2
VERSION, CONTENTS_XTS, NAMES_CTS, PAD_32 = 2, 1, 4, 3

_POLICY = struct.Struct("=BBBB4s16s")
_SPEC = struct.Struct("=II32s")
_WRITE, _READ = 1, 2


def _number(direction: int, number: int, size: int) -> int:
    # _IOC of asm-generic/ioctl.h; `f` is the letter of the file-system calls.
    return direction << 30 | size << 16 | ord("f") << 8 | number


# Its number was given with the size of the first version's structure and stays so.
SET_POLICY = _number(_READ, 19, 12)
GET_POLICY = _number(_READ | _WRITE, 22, 9)
ADD_KEY = _number(_READ | _WRITE, 23, 80)
REMOVE_KEY_ALL_USERS = _number(_READ | _WRITE, 25, 64)


def add_key(place: Path, key: bytes) -> None:
    """Give the kernel the key for the file system mounted at `place`; doing it twice is fine. Raises `OSError`."""
    argument = bytearray(_SPEC.pack(SPEC_IDENTIFIER, 0, b"") + struct.pack("=II32s", len(key), 0, b"") + key)
    with _folder(place) as descriptor:
        fcntl.ioctl(descriptor, ADD_KEY, argument)


def remove_key(place: Path, name: bytes) -> None:
    """Take a key from the kernel; nothing more is opened under it. What is open stays so until it is closed.

    The kernel calls a bound folder open; so what it says of busy files is of no use here. Raises `OSError`.
    """
    argument = bytearray(_SPEC.pack(SPEC_IDENTIFIER, 0, name) + struct.pack("=I20s", 0, b""))
    with _folder(place) as descriptor:
        try:
            fcntl.ioctl(descriptor, REMOVE_KEY_ALL_USERS, argument)
        except OSError as error:
            if error.errno != errno.ENOKEY:
                raise


def set_policy(folder: Path, name: bytes) -> None:
    """Have an empty folder, and all that will lie in it, encrypted with the key of this name. Raises `OSError`."""
    policy = bytearray(_POLICY.pack(VERSION, CONTENTS_XTS, NAMES_CTS, PAD_32, b"", name))
    with _folder(folder) as descriptor:
        fcntl.ioctl(descriptor, SET_POLICY, policy)


def policy_of(folder: Path) -> bytes | None:
    """Return the name of the key that a folder is encrypted with; None if it is not. Raises `OSError`."""
    argument = bytearray(struct.pack("=Q", _POLICY.size) + bytes(_POLICY.size))
    with _folder(folder) as descriptor:
        try:
            fcntl.ioctl(descriptor, GET_POLICY, argument)
        except OSError as error:
            # EOPNOTSUPP: the file system was made without encryption; ENODATA: the folder has no policy.
            if error.errno in {errno.ENODATA, errno.EOPNOTSUPP, errno.ENOTTY}:
                return None
            raise
    version, *_, name = _POLICY.unpack_from(argument, 8)
    return bytes(name) if version == VERSION else None


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
