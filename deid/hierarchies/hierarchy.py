"""Generalisation hierarchies (일반화 계층): for every value a label on each level, coarser from level to level.

Level 0 is the finest label (for a code: the code in one spelling; for an address: its district), the last level is one
label for everybody. On each level the labels partition those of the level below, so that classes of records only ever
merge when a level rises: what a search over a lattice of levels relies on (Samarati 2001, doi:10.1109/69.971193).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import polars as pl

ALL = "*"
VALUE = "value"


@dataclass(frozen=True)
class Hierarchy(ABC):
    """A name for recipes and reports, and about how many labels each level has, finest first, ending with 1."""

    name: str
    sizes: tuple[int, ...]

    @property
    def levels(self) -> int:
        """The coarsest level: 0 … `levels` may be asked for."""
        return len(self.sizes) - 1

    @abstractmethod
    def label(self, value: str, level: int) -> str | None:
        """Give the label of one value on a level in 0 … `levels`, None where the hierarchy does not know the value."""

    def generalise(self, values: pl.Series, level: int) -> pl.Series:
        """Replace each value by its label: same length and order; null stays null and what is unknown becomes null.

        Each distinct value is looked up once. Raises `ValueError` for a level that does not exist.
        """
        self._check(level)
        distinct = values.drop_nulls().unique()
        texts = distinct.cast(pl.String).to_list()
        labels = pl.Series([self.label(text, level) for text in texts], dtype=pl.String)
        return values.replace_strict(distinct, labels, default=None, return_dtype=pl.String)

    def table(self, values: pl.Series) -> pl.DataFrame:
        """Give the labels of the distinct values, sorted: columns `value`, then "0" … by level; null if unknown."""
        distinct = values.drop_nulls().unique().sort()
        levels = {str(level): self.generalise(distinct, level) for level in range(self.levels + 1)}
        return pl.DataFrame({VALUE: distinct, **levels})

    def loss(self, level: int) -> float:
        """Return the share of the domain that a label stands for beyond one value: 0 on level 0, 1 on the last.

        The normalised certainty penalty (Xu et al. 2006, doi:10.1145/1150402.1150504) of a value on this level, were
        all labels of a level equally wide; a table of values knows them exactly.
        """
        self._check(level)
        leaves = self.sizes[0]
        return (leaves / self.sizes[level] - 1) / (leaves - 1) if leaves > 1 else 0.0

    def _check(self, level: int) -> None:
        if not 0 <= level <= self.levels:
            raise ValueError(f"{self.name} has levels 0 to {self.levels}, not {level}")
