"""Micro-aggregation (부분총계): values in order, in groups of at least k patients, become their group's mean.

One column at a time (Domingo-Ferrer, Mateo-Sanz 2002, doi:10.1109/69.979982), with groups of patients, not of rows: a
group is closed as soon as k distinct patients have a value in it, equal values are never parted, and what is left at
the end joins the last group. The mean is over patients, each by their own mean, so that nobody's many rows rule it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.recipe_yaml import Node
from deid.treatments.learned import PATIENT, VALUE, Finish, Learner, TooFewPatients
from deid.treatments.numbers import NUMBERS
from deid.treatments.treatment import Treatment, common_fields

GROUP = " group"


@dataclass(frozen=True)
class Groups(Finish):
    """Groups by their largest value (`edges`, ascending) and what is published for each (`means`), both (n,)."""

    edges: NDArray[np.float64] | NDArray[np.int64] = field(repr=False)
    means: pl.Series = field(repr=False)

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Finish.expression`."""
        return value.map_batches(self._replaced, return_dtype=self.means.dtype, is_elementwise=True)

    def _replaced(self, values: pl.Series) -> pl.Series:
        there = values.fill_null(0).to_numpy()
        group = np.minimum(np.searchsorted(self.edges, there), self.edges.size - 1)
        found = pl.Series(values.name, self.means.to_numpy()[group], dtype=self.means.dtype)
        return found.zip_with(values.is_not_null(), pl.Series([None], dtype=self.means.dtype))

    def figures(self) -> Mapping[str, int | float]:
        """See `Finish.figures`."""
        return {"groups": self.means.len()}


@dataclass(frozen=True)
class MicroAggregate(Treatment, Learner):
    """Groups of at least `min_patients` distinct patients (the recipe's k where None) become their mean."""

    min_patients: int | None

    @property
    def learner(self) -> Learner:
        """See `Treatment.learner`."""
        return self

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`: as it is, until the groups are known."""
        return value

    def summary(self, frame: pl.LazyFrame, k: int) -> pl.LazyFrame:  # noqa: ARG002 - all distinct pairs are needed
        """See `Learner.summary`: distinct pairs of patient and value."""
        return frame.select(PATIENT, VALUE).unique()

    def learn(self, summary: pl.DataFrame, k: int) -> Groups:
        """See `Learner.learn`."""
        needed = self.min_patients or k
        pairs = summary.sort(VALUE, PATIENT)
        found = pairs[PATIENT].n_unique()
        if found < needed:
            raise TooFewPatients(found, needed)
        ends = group_ends(pairs[PATIENT].to_numpy(), pairs[VALUE].to_numpy(), needed)
        sizes = np.diff(np.concatenate(([0], ends)))
        grouped = pairs.with_columns(pl.Series(GROUP, np.repeat(np.arange(ends.size), sizes)))
        own = grouped.group_by(GROUP, PATIENT).agg(pl.col(VALUE).cast(pl.Float64).mean()).sort(GROUP, PATIENT)
        means = own.group_by(GROUP, maintain_order=True).agg(pl.col(VALUE).mean())[VALUE]
        if self.type == "integer":
            means = means.round().cast(pl.Int64)
        return Groups(pairs[VALUE].to_numpy()[ends - 1], means)

    def words(self) -> str:
        """See `Treatment.words`."""
        number = "k" if self.min_patients is None else str(self.min_patients)
        return f"micro_aggregate(groups of {number} patients or more)"


def group_ends(
    patients: NDArray[np.uint32], values: NDArray[np.float64] | NDArray[np.int64], needed: int
) -> NDArray[np.int64]:
    """Return where groups end (exclusive) in pairs sorted by value, so that each holds `needed` distinct patients."""
    ends: list[int] = []
    start, size = 0, values.size
    while start < size:
        width = needed
        while True:
            window = patients[start : start + width]
            firsts = np.sort(np.unique(window, return_index=True)[1])
            if firsts.size >= needed or start + width >= size:
                break
            width *= 2
        if firsts.size < needed:
            break
        last = values[start + firsts[needed - 1]]
        start = int(np.searchsorted(values, last, side="right"))
        ends.append(start)
    ends[-1] = size
    return np.array(ends, np.int64)


def parse_micro_aggregate(_: Node, fields: Mapping[str, Node]) -> MicroAggregate:
    """Read `micro_aggregate`. Raises `RecipeError`."""
    number = fields["min_patients"].integer(2, 10**6) if "min_patients" in fields else None
    return MicroAggregate(number, **common_fields(fields, default="number", allowed=NUMBERS))
