"""Small numbers for the distinct values of a text column: a million rows are joined by position instead of by text.

Exact: no hash stands for a value, null is a value of its own. The dictionary behind the numbers lives only as long as
this call; what is published is gathered back into plain values (a dictionary written to a file would carry the values
of suppressed rows).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Numbered:
    """A column as numbers: `codes` (UInt32, one a row) are positions in `values`; null may be last.

    Values are distinct as `numbered` gives them; of treated ones several may have become one (`distinct`).
    """

    codes: pl.Series
    values: pl.Series

    def counts(self) -> pl.Series:
        """Rows of each value (UInt32)."""
        return pl.Series("rows", np.bincount(self.codes.to_numpy(), minlength=self.values.len()), dtype=pl.UInt32)

    def distinct(self) -> Numbered:
        """Give one number to equal values."""
        if self.values.n_unique() == self.values.len():
            return self
        found = numbered(self.values)
        return Numbered(found.codes.gather(self.codes), found.values)

    def of_rows(self) -> Numbered:
        """Leave out the values that no row has."""
        seen = np.zeros(self.values.len(), np.bool_)
        seen[self.codes.to_numpy()] = True
        if seen.all():
            return self
        places = (np.cumsum(seen) - 1).astype(np.uint32)
        return Numbered(pl.Series(places.take(self.codes.to_numpy())), self.values.filter(pl.Series(seen)))


def numbered(column: pl.Series) -> Numbered:
    """Give each distinct value of a text column a number."""
    found = numbered_stretches([column], column.len())
    if found is None:
        raise RuntimeError("a column has no more values than rows")
    return found


def numbered_stretches(stretches: Iterable[pl.Series], most: int) -> Numbered | None:
    """Give each distinct value of a text column that comes in stretches a number; None of more than `most` values."""
    # Categories of its own, numbered as they come; those without a name belong to the whole process and stay for ever.
    own = pl.Categorical(pl.Categories.random())
    found: list[pl.Series] = []
    count = 0
    for stretch in stretches:
        coded = stretch.cast(own)  # the categories live as long as this: the last is let go after the next is there
        found.append(coded.to_physical().cast(pl.UInt32))
        last = found[-1].max()
        count = max(count, last + 1 if isinstance(last, int) else 0)
        if count > most:
            return None
    codes = pl.concat(found, rechunk=True)
    values = pl.int_range(count, dtype=pl.UInt32, eager=True).cat.to(own).cast(pl.String).alias(codes.name)
    if not codes.null_count():
        return Numbered(codes, values)
    return Numbered(codes.fill_null(values.len()), pl.concat([values, pl.Series([None], dtype=pl.String)]))
