"""How wrong counts become: random counting queries on source and published values (Xiao and Tao, VLDB 2006).

Each query asks how many rows have values in a random half of each of a few columns; on published groups the answer is
estimated by the share of a group's values that the query asks for, all values of a group being equally likely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Flags
from deid.risk.ladder import Ladder
from deid.risk.lattice import Lattice, Node

QUERIES, COLUMNS = 200, 2
Floats = NDArray[np.float64]


def query_error(lattice: Lattice, node: Node, kept: Flags, *, seed: int, queries: int = QUERIES) -> float:
    """Return the median relative error of `queries` counts; a count is taken as at least 0.1 % of the rows."""
    rng = np.random.default_rng(seed)
    rows = lattice.records.rows
    floor = max(1.0, 0.001 * float(rows.sum()))
    width = len(lattice.ladders)
    errors = []
    for _ in range(queries if width else 0):
        columns = rng.choice(width, size=min(COLUMNS, width), replace=False)
        truth, guess = np.ones(rows.size), kept.astype(np.float64)
        for column in columns:
            ladder = lattice.ladders[column]
            asked = rng.random(ladder.values) < 0.5  # noqa: PLR2004 - half of the values
            truth *= asked[lattice.codes[column][0]]
            guess *= _share(ladder, node[column], asked)[lattice.codes[column][node[column]]]
        errors.append(abs(float((rows * guess).sum()) - float((rows * truth).sum())) / max(floor, float(rows @ truth)))
    return round(float(np.median(errors)), 6) if errors else 0.0


def _share(ladder: Ladder, level: int, asked: Flags) -> Floats:
    """Share of each group's values that are asked for."""
    group = ladder.levels[level]
    wanted = np.bincount(group, weights=asked.astype(np.float64), minlength=ladder.widths[level])
    share: Floats = wanted / np.bincount(group, minlength=ladder.widths[level])
    return share
