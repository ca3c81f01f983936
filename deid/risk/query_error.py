"""How wrong counts become: random counting queries on source and published values (Xiao and Tao, VLDB 2006).

Each query asks how many rows have values in a random half of each of a few columns; on published groups the answer is
estimated by the share of a label's values that the query asks for, all of them being equally likely. Queries that ask
for nothing, neither in the source nor in what is published, say nothing and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deid.risk.counting import Codes, Flags
from deid.risk.covering import Cover

QUERIES, COLUMNS = 200, 2


def query_error(rows: Codes, covers: Sequence[Cover], kept: Flags, *, seed: int, queries: int = QUERIES) -> float:
    """Return the median relative error of `queries` counts; a count is taken as at least 0.1 % of the rows."""
    rng = np.random.default_rng(seed)
    floor = max(1.0, 0.001 * float(rows.sum()))
    errors = []
    for _ in range(queries if covers else 0):
        columns = rng.choice(len(covers), size=min(COLUMNS, len(covers)), replace=False)
        truth, guess = np.ones(rows.size), kept.astype(np.float64)
        for cover in (covers[column] for column in columns):
            asked = (rng.random(cover.values) < 0.5).astype(np.float64)  # noqa: PLR2004 - half of the values
            truth *= asked[cover.source]
            guess *= cover.share(asked)[cover.label]
        true, guessed = float(rows @ truth), float(rows @ guess)
        if true or guessed:
            errors.append(abs(guessed - true) / max(floor, true))
    return round(float(np.median(errors)), 6) if errors else 0.0
