"""Landlock (Linux 5.13+): this process opens nothing but the folders named here, for reading (landlock(7))."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from enclave.airlock.sealing.kernel import system_call

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION_FLAG = 1
PATH_BENEATH = 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# How many file rights, network rights and scopes each version of the interface knows (linux/landlock.h).
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NETWORK_SINCE, SCOPES_SINCE = 4, 6


def version() -> int:
    """Which version of the interface the kernel offers; 0 for none."""
    try:
        return system_call(CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[Path]) -> None:
    """Forbid every file access but reading beneath ``readable``, TCP, and signals and sockets to the outside.

    Needs no_new_privs. Raises `OSError` when the kernel has no Landlock.
    """
    ruleset = _create(version())
    try:
        for folder in readable:
            _allow_reading(ruleset, folder)
        system_call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _create(offered: int) -> int:
    rights = (1 << FILE_RIGHTS.get(offered, FILE_RIGHTS[5])) - 1
    fields = [rights]
    if offered >= NETWORK_SINCE:
        fields.append(0b11)  # bind and connect TCP
    if offered >= SCOPES_SINCE:
        fields.append(0b11)  # abstract unix sockets, signals
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return system_call(CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)


def _allow_reading(ruleset: int, folder: Path) -> None:
    try:
        beneath = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not there, or not ours to read: then it stays closed, which is the safe side
        return
    try:
        rule = struct.pack("=Qi", READ_FILE | READ_DIR, beneath)
        system_call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(beneath)
