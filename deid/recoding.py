"""Values published by combination, not column by column: the answer of a multidimensional search (Mondrian).

Each combination of quasi-identifiers lies in one part; in each column the part is published under one label:

- a value that the part has alone, as it is; nothing where it is missing;
- a range `low..high` of numbers and dates, both ends included; bands join to a band (`30-49`, `80+`, `<40`);
- a set of words as a JSON array in order (`["cook", "nurse"]`), `*` for all of the column's;
- with missing values among them, a JSON array with `null` first (`[null, "30..39"]`).

A part is cut from its neighbours along some column, so no two have the same labels: classes are parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

PART, LABEL, FINE, ENDED = " part", " label ", " fine", " ended"


@dataclass(frozen=True)
class Recoding:
    """`tuples`: each combination of the columns `names` as treated, its `PART`, and `LABEL…` of each column.

    `covers` says by column which values (`FINE`) a label (`LABEL`) may stand for. `last`, where patients left after
    the labels were made, is (`LABEL…` as before, `names` as published): what only they had is in no label.
    """

    names: tuple[str, ...]
    tuples: pl.DataFrame
    covers: Mapping[str, pl.DataFrame]
    last: pl.DataFrame | None = None

    def labels(self) -> list[str]:
        """Name the columns of labels."""
        return [LABEL + name for name in self.names]

    def applied(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Replace the columns by their labels."""
        wide = self.beside(frame)
        return wide.with_columns(pl.col(LABEL + name).alias(name) for name in self.names).drop(self.labels())

    def beside(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the labels beside the columns as treated. Rows stay in their order: others are aligned with them."""
        known = self.tuples.select(*self.names, *self.labels()).lazy()
        return frame.join(known, on=list(self.names), how="left", nulls_equal=True, maintain_order="left")

    def ended(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Replace labels by those without what only excluded patients had. What nobody is left in stays."""
        if self.last is None:
            return frame
        order = frame.collect_schema().names()
        before = frame.rename({name: LABEL + name for name in self.names})
        last = self.last.with_columns(pl.lit(value=True).alias(ENDED)).lazy()
        joined = before.join(last, on=self.labels(), how="left", nulls_equal=True, maintain_order="left")
        known = pl.col(ENDED).fill_null(value=False)
        ended = [pl.when(known).then(name).otherwise(LABEL + name).alias(name) for name in self.names]
        return joined.with_columns(ended).select(order)

    def ending(self, last: pl.DataFrame) -> Recoding:
        """Give the recoding with its last labels."""
        return replace(self, last=last)
