"""How what is asked for lies to what is out: for people's eyes, beside the rule of `conflicts` and decided by nobody.

Exact up to 65,536 people in the data set's list; above that populations are told apart by a sample of them, cells with
the same people by their hashes.
"""

from __future__ import annotations

from enum import StrEnum

from enclave.airlock.ledger.image import Image
from enclave.airlock.ledger.unions import Side, overlap


class Lie(StrEnum):
    """How the people of one table lie to those of another."""

    EQUAL = "equal"
    WITHIN = "within"
    AROUND = "around"
    PARTLY = "partly"
    APART = "apart"


def same_cells(new: Image, old: Image) -> int:
    """Return how many cells of `new` hold exactly the people of some cell of `old`; chance errs once in 2^64."""
    theirs = set(zip(old.sizes.tolist(), old.hashes.tolist(), strict=True))
    mine = zip(new.sizes.tolist(), new.hashes.tolist(), strict=True)
    return sum(size > 0 and (size, bits) in theirs for size, bits in mine)


def lie(new: Side, old: Image) -> Lie:
    """Return how all people of `new` together lie to all people of `old` together."""
    table = overlap(new, old).table
    shared, mine, theirs = int(table[1:, 1:].sum()), int(table[1:, 0].sum()), int(table[0, 1:].sum())
    if not shared:
        return Lie.APART
    if not mine:
        return Lie.WITHIN if theirs else Lie.EQUAL
    return Lie.PARTLY if theirs else Lie.AROUND
