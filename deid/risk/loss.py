"""What a generalisation costs, in the measures of the literature, side by side. Pure: integer arrays in, figures out.

Every measure is taken over rows; a removed row has lost everything. Before and after are described by ladders: level 0
is the source's value, the node's level is what is published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deid.risk.counting import Flags
from deid.risk.lattice import Lattice, Node


@dataclass(frozen=True)
class Loss:
    """Figures of one published table.

    `ncp`: normalised certainty penalty, 0 (nothing lost) to 1; `granularity` is 1 - ncp (Iyengar, KDD 2002).
    `discernibility`: sum of squared class sizes, plus all rows for each removed one (Bayardo and Agrawal, ICDE 2005),
    over its worst value (all rows squared). `aecs`: mean class size over k (LeFevre et al., ICDE 2006).
    `entropy`: non-uniform entropy (Gionis and Tassa, TKDE 2009) over its worst value. `precision`: 1 - mean of
    level/height (Sweeney 2002).
    """

    ncp: float
    granularity: float
    discernibility: float
    aecs: float
    entropy: float
    precision: float


def loss_of(lattice: Lattice, node: Node, kept: Flags, k: int) -> Loss:
    """Measure a node; `kept` says of each tuple whether its rows stay."""
    rows = lattice.records.rows
    total = max(1, int(rows.sum()))
    removed = int(rows[~kept].sum())
    grouping = lattice.grouping(node)
    sizes = np.bincount(grouping.group[kept], weights=rows[kept], minlength=grouping.groups)
    there = int((sizes > 0).sum())
    ncp = lattice.loss(node, kept)
    return Loss(
        ncp=round(ncp, 6),
        granularity=round(1 - ncp, 6),
        discernibility=round(float((sizes**2).sum() + removed * total) / total**2, 6),
        aecs=round(float(sizes.sum()) / there / max(1, k), 6) if there else 0.0,
        entropy=round(_entropy(lattice, node, kept, total), 6),
        precision=round(_precision(lattice, node, removed / total), 6),
    )


def _entropy(lattice: Lattice, node: Node, kept: Flags, total: int) -> float:
    """Bits that the published value leaves open about the source's, over those that a removed row leaves open."""
    rows = lattice.records.rows
    lost = worst = 0.0
    for column, level in enumerate(node):
        fine, coarse = (lattice.codes[column][height] for height in (0, level))
        ladder = lattice.ladders[column]
        of_value = np.bincount(fine, weights=rows, minlength=ladder.widths[0])[fine]
        of_group = np.bincount(coarse, weights=rows, minlength=ladder.widths[level])[coarse]
        everything = np.log2(total / np.maximum(of_value, 1))
        open_bits = np.where(kept, np.log2(np.maximum(of_group, 1) / np.maximum(of_value, 1)), everything)
        lost += float((rows * open_bits).sum())
        worst += float((rows * everything).sum())
    return lost / worst if worst else 0.0


def _precision(lattice: Lattice, node: Node, removed: float) -> float:
    shares = [level / ladder.height for level, ladder in zip(node, lattice.ladders, strict=True) if ladder.height]
    return (1 - removed) * (1 - float(np.mean(shares))) if shares else 1 - removed
