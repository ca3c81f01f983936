"""Which bucket a patient is in: by the pseudonym, so that it is the same in every version of a data set.

Buckets are what is kept from one version to the next, and what is shredded when a patient withdraws: small enough that
ten people of forty thousand cost a fifth of the files and not all of them (deid-tabular.md §6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

MOST = 64
# Below this the price of one more file is more than what it saves.
LEAST_ROWS = 8_192
# A table keeps its number of buckets while it grows or shrinks by less than this.
KEPT_WITHIN = 4

Bounds = np.ndarray[Any, np.dtype[np.int64]]


def leading(column: str) -> pl.Expr:
    """First byte (0 to 255) of a pseudonym in hex digits: of an HMAC, so even; its top bits are the bucket.

    The order of pseudonyms is then the order of buckets, however many there are.
    """
    return pl.col(column).str.slice(0, 2).str.to_integer(base=16, dtype=pl.Int64)


def how_many(rows: int, before: int = 0) -> int:
    """Into how many buckets a table of so many rows goes: a power of two up to 64, or as many as `before` if near."""
    wanted = 1 << max(0, min(MOST, rows // LEAST_ROWS).bit_length() - 1) if rows else 1
    return before if before and before / KEPT_WITHIN <= wanted <= before * KEPT_WITHIN else wanted


def bounds_of(people: pl.DataFrame, column: str, buckets: int) -> Bounds:
    """First rank of each bucket's patients and one past the last; `people` are in the order of their pseudonyms."""
    of = people.select(leading(column) * buckets // 256).to_series().to_numpy()
    return np.searchsorted(of, np.arange(buckets + 1))
