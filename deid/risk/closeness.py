"""How far each class's values are from those of the whole table, as the earth mover's distance.

Ground distances: equal, ordered and hierarchical (Li, Li and Venkatasubramanian, t-Closeness, ICDE 2007, section 5).
The whole is what is grouped, each (patient, class) pair counted once per value: what is published is what one can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes, Held
from deid.risk.ladder import Ladder

GroundKind = Literal["equal", "ordered", "hierarchy"]
KINDS: tuple[GroundKind, ...] = ("equal", "ordered", "hierarchy")
# Classes times values held as a matrix at once.
CELLS = 1 << 21
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Distance between values: all alike, by rank (values are numbered in order), or by a hierarchy over them."""

    kind: GroundKind
    ladder: Ladder | None = None


def closeness(held: Held, groups: int, values: int, ground: Ground) -> Matrix:
    """Return the distance of each class from the whole, 0 to 1 (0 for classes without patients)."""
    whole = np.bincount(held.value, weights=held.count, minlength=values)
    whole = whole / max(1.0, whole.sum())
    found = np.zeros(groups)
    step = max(1, CELLS // max(1, values))
    for first in range(0, groups, step):
        last = min(groups, first + step)
        counts = held.dense(first, last, values)
        total = counts.sum(axis=1, keepdims=True)
        surplus = counts / np.maximum(total, 1.0) - whole
        found[first:last] = np.where(total[:, 0] > 0, _moved(surplus, ground), 0.0)
    return found


def _moved(surplus: Matrix, ground: Ground) -> Matrix:
    if ground.kind == "equal":
        equal: Matrix = np.abs(surplus).sum(axis=1) / 2
        return equal
    if ground.kind == "ordered":
        ordered: Matrix = np.abs(np.cumsum(surplus, axis=1)).sum(axis=1) / max(1, surplus.shape[1] - 1)
        return ordered
    if ground.ladder is None:
        raise ValueError("the hierarchical ground distance needs a hierarchy")
    return _moved_up(surplus, ground.ladder)


def _moved_up(surplus: Matrix, ladder: Ladder) -> Matrix:
    """Sum over all inner nodes: height/H times what has to be moved between its children (Li et al., section 5.2)."""
    cost = np.zeros(surplus.shape[0])
    below = ladder.levels[0]
    extra = _summed(surplus, below, ladder.widths[0])
    # What several roots hold is moved between them as well: above them stands one more node.
    rooted = ladder if ladder.widths[-1] == 1 else Ladder(ladder.name, (*ladder.levels, np.zeros_like(below)))
    for height in range(1, len(rooted.levels)):
        parent = np.zeros(rooted.widths[height - 1], np.int64)
        parent[below] = rooted.levels[height]
        width = rooted.widths[height]
        gain, lack = (_summed(np.maximum(sign * extra, 0.0), parent, width) for sign in (1.0, -1.0))
        cost += height / rooted.height * np.minimum(gain, lack).sum(axis=1)
        extra, below = gain - lack, rooted.levels[height]
    return cost


def _summed(matrix: Matrix, parent: Codes, width: int) -> Matrix:
    order = np.argsort(parent, kind="stable")
    # Every group has members, so every start lies before the next.
    starts = np.searchsorted(parent[order], np.arange(width))
    return np.add.reduceat(matrix[:, order], starts, axis=1)
