"""Values that must not leave, told to the sealed checker without telling them: sorted keyed hashes in memory.

The snapshot's pseudonyms and the names of a project's people are hashed with a key that lives in one process and ends
with it (BLAKE2b, 8 bytes). The hashes lie in an anonymous file in memory, handed over as a descriptor; nothing is
written to a disk, a log or a report. With a million values a text of other words meets one by chance once in 10^13.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.uint64]
# Drawn anew by each process: hashes of one run say nothing to another.
KEY = secrets.token_bytes(32)
BETWEEN = re.compile(r"[\s_.\-:/]+")
SHORTEST, CUT_FROM, CUT = 8, 16, 8


@dataclass(frozen=True)
class Known:
    """The marks of a project's pseudonyms and of its people, each sorted."""

    pseudonyms: Marks
    people: Marks
    key: bytes = KEY

    def descriptor(self) -> int:
        """Return a new descriptor of a file in memory that holds both; the caller closes it."""
        descriptor = os.memfd_create("known", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(np.array([len(self.pseudonyms)], dtype="<u8").tobytes())
            file.write(self.pseudonyms.astype("<u8").tobytes())
            file.write(self.people.astype("<u8").tobytes())
        return descriptor

    def has_pseudonym(self, text: str) -> bool:
        """Whether a text is a pseudonym, whole or its first eight characters."""
        return _is_in(self.pseudonyms, text, self.key)

    def has_person(self, text: str) -> bool:
        """Whether a text is the name or login of one of the project's people."""
        return _is_in(self.people, text, self.key)


def read(descriptor: int, key: bytes) -> Known:
    """Read what `Known.descriptor` holds. Raises `ValueError` for anything else."""
    view = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    marks = np.frombuffer(view, dtype="<u8")
    count = int(marks[0])
    if count >= len(marks):
        raise ValueError("fewer marks than it says")
    return Known(marks[1 : 1 + count], marks[1 + count :], key)


def pseudonym_marks(values: Iterable[str], key: bytes = KEY) -> Marks:
    """Return the sorted marks of pseudonyms, and of the first eight characters of long ones.

    Short ones and short numbers are left out: any count in a table could be one of them.
    """
    found: set[int] = set()
    for value in values:
        plain = normal(value)
        if len(plain) < SHORTEST or (plain.isdigit() and len(plain) < CUT_FROM):
            continue
        found.add(mark(plain, key))
        if len(plain) >= CUT_FROM and not plain[:CUT].isdigit():
            found.add(mark(plain[:CUT], key))
    return np.array(sorted(found), dtype=np.uint64)


def person_marks(values: Iterable[str], key: bytes = KEY) -> Marks:
    """Return the sorted marks of names and logins of two characters or more."""
    plain = (normal(value) for value in values)
    return np.array(sorted({mark(each, key) for each in plain if len(each) > 1}), dtype=np.uint64)


def normal(text: str) -> str:
    """Return a text without what changes nothing: width, case, blanks, hyphens, dots."""
    return BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())


def mark(plain: str, key: bytes) -> int:
    """Return the 64-bit keyed hash of a normal text."""
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest())


def _is_in(marks: Marks, text: str, key: bytes) -> bool:
    plain = normal(text)
    if not len(marks) or not plain:
        return False
    wanted = np.uint64(mark(plain, key))
    place = int(np.searchsorted(marks, wanted))
    return place < len(marks) and bool(marks[place] == wanted)
