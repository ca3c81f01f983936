"""What became of a bucket since the version before: exactly the same rows, the same and some more, or other ones.

The rows themselves are compared, inside the trust boundary. No digest of plain text is kept anywhere: who knows the
schema could guess values by it; and no key is made from content (docs/adr/0032).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

COPY = " copy"


@dataclass(frozen=True)
class Compared:
    """Rows that came (`fresh`, in their order) and how many went. Rows that stand several times are counted so."""

    fresh: pl.DataFrame
    gone: int


def compare(before: pl.DataFrame, after: pl.DataFrame) -> Compared:
    """Compare two sets of rows of the same columns, whatever their order."""
    if before.equals(after):
        return Compared(after.clear(), 0)
    names = after.columns
    old, new = (_numbered(frame.select(names)) for frame in (before, after))
    on = [*names, COPY]
    fresh = new.join(old, on=on, how="anti", nulls_equal=True, maintain_order="left").drop(COPY)
    return Compared(fresh, before.height + fresh.height - after.height)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Count among equal rows, so that the second of two equal ones is not taken for the first."""
    return frame.with_columns(pl.int_range(pl.len()).over(frame.columns).alias(COPY))
