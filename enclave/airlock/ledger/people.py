"""One list of people for all versions of a data set, so that what is out about an old one counts for a new one.

Pseudonyms of a data set stay the same as long as the provider's master key does (`deid.keys`), so a person keeps their
place in the list; who is new is appended. Where a provider changed its key on purpose, nobody can be matched any more,
neither by the ledger nor by an attacker, and all of them are new people. The list holds eight-byte digests and no
pseudonym: two of a million people share one with a probability of 3·10⁻⁸.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from enclave.airlock.ledger.cells import Group

Digests = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.uint32]
DIGEST = 8


@dataclass(frozen=True)
class Placed:
    """A snapshot's people in the list: the place of each (n,), the digests of those it brought, the list's length."""

    positions: Positions
    joined: Digests
    until: int


def digests(pseudonyms: Iterable[str]) -> Digests:
    """Return the digest of each pseudonym, in their order, shape (n,)."""
    joined = b"".join(blake2b(each.encode(), digest_size=DIGEST).digest() for each in pseudonyms)
    return np.frombuffer(joined, "<u8")


def place(known: Digests, people: Digests) -> Placed:
    """Find a snapshot's people in the list so far, and append those who are not in it."""
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], people)
    found = at < len(known)
    found[found] = known[order[at[found]]] == people[found]
    positions = np.empty(len(people), np.uint32)
    positions[found] = order[at[found]]
    positions[~found] = np.arange(len(known), len(known) + int((~found).sum()), dtype=np.uint32)
    return Placed(positions, people[~found], len(known) + int((~found).sum()))


def moved(people: BitMap, positions: Positions) -> BitMap:
    """Return a population of a snapshot's own ranks as one of the list's places."""
    ranks = np.frombuffer(people.to_array(), np.uint32) if people else np.empty(0, np.uint32)
    return BitMap(np.sort(positions[ranks]))


def placed_groups(groups: Iterable[Group], positions: Positions) -> list[Group]:
    """Return groups of a snapshot's own ranks as groups of the list's places."""
    return [
        replace(group, cells=tuple(replace(cell, people=moved(cell.people, positions)) for cell in group.cells))
        for group in groups
    ]


def pack(values: Digests | Positions) -> bytes:
    """Return an array's little-endian bytes, compressed."""
    return zlib.compress(values.tobytes(), 1)


def unpack_digests(data: bytes) -> Digests:
    """Read digests that `pack` wrote."""
    return np.frombuffer(zlib.decompress(data), "<u8")


def unpack_positions(data: bytes) -> Positions:
    """Read positions that `pack` wrote."""
    return np.frombuffer(zlib.decompress(data), "<u4")
