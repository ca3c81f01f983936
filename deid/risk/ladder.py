"""A column's generalisation hierarchy as integers: level by level, which group each value of the source falls into.

Level 0 is the source's own values; each further level joins groups of the one before; what is lost is the normalised
certainty penalty (Xu et al., Utility-based anonymization, KDD 2006): (values in the group - 1) / (values in all - 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes


@dataclass(frozen=True)
class Ladder:
    """`levels[h][code]` is the group of a source value at level h; groups of a level are numbered from 0."""

    name: str
    levels: tuple[Codes, ...]

    def __post_init__(self) -> None:
        for lower, upper in zip(self.levels, self.levels[1:], strict=False):
            parent = np.full(int(lower.max(initial=-1)) + 1, -1, np.int64)
            parent[lower] = upper
            if not np.array_equal(parent[lower], upper):
                raise ValueError(f"{self.name}: a level splits a group of the level below")

    @property
    def height(self) -> int:
        """Levels above the source's own values."""
        return len(self.levels) - 1

    @property
    def values(self) -> int:
        """Values of the source's domain."""
        return int(self.levels[0].size)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Groups at each level."""
        return tuple(int(level.max(initial=-1)) + 1 for level in self.levels)

    @cached_property
    def losses(self) -> tuple[NDArray[np.float64], ...]:
        """Normalised certainty penalty of each source value at each level, 0 to 1."""
        room = max(1, self.values - 1)
        return tuple((np.bincount(level)[level] - 1) / room for level in self.levels)


def ladder_of(name: str, columns: Sequence[Sequence[object]]) -> Ladder:
    """Build a ladder from labels: `columns[h][i]` is what value i is called at level h."""
    return Ladder(name, tuple(_codes(column) for column in columns))


def _codes(labels: Sequence[object]) -> Codes:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], np.int64)
