"""One column as it is published, whatever recoded it: which source values a label may stand for.

Levels of a hierarchy, ranges and sets are measured alike by it (`loss.py`, `query_error.py`): a full-domain answer and
a multidimensional one can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes
from deid.risk.lattice import Lattice, Node

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cover:
    """A column of distinct tuples: code of each one's source value (of `values`), code of its label (of `labels`).

    `of_label` and `of_value` are the distinct pairs of a label and a source value that it may stand for. `level` is
    the level published and the highest one, where there is a hierarchy.
    """

    source: Codes
    values: int
    label: Codes
    labels: int
    of_label: Codes
    of_value: Codes
    level: tuple[int, int] | None = None

    def penalty(self) -> Floats:
        """Normalised certainty penalty of each label, 0 to 1: (values it may stand for - 1) / (all values - 1)."""
        return (self._widths() - 1) / max(1, self.values - 1)

    def share(self, asked: Floats) -> Floats:
        """Share of each label's source values that are asked for (`asked`: 1 or 0 for each source value)."""
        wanted = np.bincount(self.of_label, weights=asked[self.of_value], minlength=self.labels)
        return wanted / self._widths()

    def _widths(self) -> Floats:
        return np.maximum(1.0, np.bincount(self.of_label, minlength=self.labels))


def covers_of(lattice: Lattice, node: Node) -> list[Cover]:
    """Describe the columns of a node of a lattice."""
    found = []
    for codes, ladder, level in zip(lattice.codes, lattice.ladders, node, strict=True):
        pairs = ladder.levels[level], np.arange(ladder.values)
        height = (level, ladder.height) if ladder.height else None
        found.append(Cover(codes[0], ladder.values, codes[level], ladder.widths[level], *pairs, height))
    return found


def mean_penalty(rows: Codes, covers: Sequence[Cover]) -> Floats:
    """Penalty of each tuple, the mean over its columns."""
    return sum((cover.penalty()[cover.label] for cover in covers), np.zeros(rows.size)) / max(1, len(covers))
