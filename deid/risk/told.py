"""How much a published column still tells of the source's: bits of entropy, before and after. Pure.

What is told is the mutual information of source and published value (Cover and Thomas, Elements of Information Theory,
2006, ch. 2), so it is never more than there was; where every source value has one label it is the label's entropy. It
is counted on the rows at hand: where most values stand in one row each, it says more than a reader could use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Numbers and days that were moved at random are compared in so many bands of equal share: each is a value of its own
# otherwise, and would seem to tell everything.
BANDS = 20
SOURCE, PUBLISHED = "source", "published"


@dataclass(frozen=True)
class Told:
    """Bits per row of the source: what its values hold (a missing one is a value), and what is told of them."""

    before: float
    after: float

    @property
    def kept(self) -> float:
        """Share that is told, 0 to 1; 1 where there was nothing to tell."""
        return self.after / self.before if self.before else 1.0


def told(source: pl.Series, published: pl.Series, stayed: pl.Series, *, moved: bool) -> Told:
    """Compare the values of all rows, `source`, with those of the rows that stay.

    `published` and `stayed` are aligned: published and source values of the rows that stay; of a removed row nothing is
    told. `moved`: published numbers and days stand near the source's, moved at random.
    """
    if moved and _on_a_line(source) and _on_a_line(published):
        cuts = _cuts(source)
        source, published, stayed = (_banded(values, cuts) for values in (source, published, stayed))
    before = entropy(source.to_frame(SOURCE))
    if published.equals(stayed):
        shared = entropy(stayed.to_frame(SOURCE))
    else:
        pairs = pl.DataFrame({SOURCE: stayed, PUBLISHED: published})
        shared = entropy(pairs.select(SOURCE)) + entropy(pairs.select(PUBLISHED)) - entropy(pairs)
    # By arithmetic it is within (conditioning never adds entropy); only rounding could put it outside.
    after = min(max(0.0, shared * stayed.len() / max(1, source.len())), before)
    return Told(before, after)


def entropy(rows: pl.DataFrame) -> float:
    """Shannon entropy in bits of the distinct rows."""
    if not rows.height:
        return 0.0
    counts = rows.to_series().unique_counts() if rows.width == 1 else rows.group_by(pl.all()).len()["len"]
    share = counts.to_numpy() / rows.height
    # An exact sum: the same rows give the same figures, in whatever order they come.
    return math.fsum(-share * np.log2(share))


def _on_a_line(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype == pl.Date


def _cuts(values: pl.Series) -> Floats:
    known = _places(values.drop_nulls())
    return np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS, method="lower")) if known.size else known


def _banded(values: pl.Series, cuts: Floats) -> pl.Series:
    """Give the number of each value's band; a missing value stays missing."""
    return pl.Series(np.searchsorted(cuts, _places(values))).set(values.is_null(), None)


def _places(values: pl.Series) -> Floats:
    return values.to_physical().cast(pl.Float64).fill_null(0.0).to_numpy()
