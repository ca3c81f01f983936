"""Small linear images of populations: equal sets have equal images, and images add up as disjoint sets do.

For a combination of sets (C − A − B, or two unions) the images' combination bounds from below how many people it
depends on, so that a candidate is only ever dropped when it cannot be an attack; nothing is missed by a sketch.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

BUCKETS = 64
SHIFT = np.uint64(58)
Counts = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]


@lru_cache(maxsize=2)
def mixed(people: int) -> Hashes:
    """Return 64 well-mixed bits for each of the integers below `people` (splitmix64, Steele et al. 2014)."""
    z = np.arange(1, people + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def buckets(ranks: npt.NDArray[np.uint32], bits: Hashes) -> Counts:
    """Return how many members fall into each of the buckets, shape (64,)."""
    return np.bincount((bits[ranks] >> SHIFT).astype(np.int64), minlength=BUCKETS).astype(np.int32)


def total(ranks: npt.NDArray[np.uint32], bits: Hashes) -> np.uint64:
    """Return the sum of the members' bits modulo 2^64: sums of disjoint sets add up; by chance equal once in 2^64."""
    return np.uint64(bits[ranks].sum(dtype=np.uint64))
