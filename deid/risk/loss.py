"""What a recoding costs, in the measures of the literature, side by side. Pure: integer arrays in, figures out.

Every measure is taken over rows; a removed row has lost everything. Columns are described by covers: the source's
values, the labels that are published, and what each label may stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deid.risk.counting import Codes, Flags, grouped
from deid.risk.covering import Cover, mean_penalty


@dataclass(frozen=True)
class Loss:
    """Figures of one published table.

    `ncp`: normalised certainty penalty, 0 (nothing lost) to 1; `granularity` is 1 - ncp (Iyengar, KDD 2002).
    `discernibility`: sum of squared class sizes, plus all rows for each removed one (Bayardo and Agrawal, ICDE 2005),
    over its worst value (all rows squared). `aecs`: mean class size over k (LeFevre et al., ICDE 2006).
    `entropy`: non-uniform entropy (Gionis and Tassa, TKDE 2009) over its worst value. `precision`: 1 - mean of
    level/height (Sweeney 2002) of the columns that have levels, None where none has.
    """

    ncp: float
    granularity: float
    discernibility: float
    aecs: float
    entropy: float
    precision: float | None


def loss_of(rows: Codes, covers: Sequence[Cover], kept: Flags, k: int) -> Loss:
    """Measure a table of `rows` of each distinct tuple; `kept` says of each tuple whether its rows stay."""
    total = max(1, int(rows.sum()))
    removed = int(rows[~kept].sum())
    group, groups = grouped([cover.label for cover in covers], [cover.labels for cover in covers])
    sizes = np.bincount(group[kept], weights=rows[kept], minlength=groups)
    there = int((sizes > 0).sum())
    ncp = float((rows * np.where(kept, mean_penalty(rows, covers), 1.0)).sum()) / total
    precision = _precision(covers, removed / total)
    return Loss(
        ncp=round(ncp, 6),
        granularity=round(1 - ncp, 6),
        discernibility=round(float((sizes**2).sum() + removed * total) / total**2, 6),
        aecs=round(float(sizes.sum()) / there / max(1, k), 6) if there else 0.0,
        entropy=round(_entropy(rows, covers, kept), 6),
        precision=None if precision is None else round(precision, 6),
    )


def _entropy(rows: Codes, covers: Sequence[Cover], kept: Flags) -> float:
    """Bits that the published value leaves open about the source's, over those that a removed row leaves open."""
    lost = worst = 0.0
    for cover in covers:
        of_value = np.bincount(cover.source, weights=rows, minlength=cover.values)
        # As many rows have one of the values that a label may stand for.
        of_label = np.bincount(cover.of_label, weights=of_value[cover.of_value], minlength=cover.labels)
        here = np.maximum(of_value[cover.source], 1)
        everything = np.log2(max(1, int(rows.sum())) / here)
        open_bits = np.where(kept, np.log2(np.maximum(of_label[cover.label], here) / here), everything)
        lost += float((rows * open_bits).sum())
        worst += float((rows * everything).sum())
    return lost / worst if worst else 0.0


def _precision(covers: Sequence[Cover], removed: float) -> float | None:
    shares = [level / height for level, height in (cover.level for cover in covers if cover.level)]
    return (1 - removed) * (1 - float(np.mean(shares))) if shares else None
