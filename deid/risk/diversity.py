"""How diverse a sensitive value is within each class (Machanavajjhala et al., l-Diversity, ICDE 2006).

Counts are of distinct patients. Where a patient holds several values (diagnoses, say), a value that *every* patient of
the class holds is disclosed whatever else they hold, so such a class has l = 1; with one value per patient that is the
definition itself.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes, Held

Diversity = Literal["distinct", "entropy", "recursive"]
KINDS: tuple[Diversity, ...] = ("distinct", "entropy", "recursive")


def diversity(held: Held, sizes: Codes, kind: Diversity, *, most: float, c: float) -> NDArray[np.float64]:
    """Return the l of each class: distinct values, exp of the entropy, or the largest l up to `most` by (c, l)."""
    groups = sizes.size
    if kind == "distinct":
        reached = np.bincount(held.group, minlength=groups).astype(np.float64)
    elif kind == "entropy":
        reached = _by_entropy(held, groups)
    else:
        reached = _by_recursion(held, groups, int(np.ceil(most)), c)
    everybody = np.zeros(groups, np.bool_)
    everybody[held.group[held.count >= sizes[held.group]]] = True
    return np.where(everybody, np.minimum(reached, 1.0), reached)


def _by_entropy(held: Held, groups: int) -> NDArray[np.float64]:
    total = np.bincount(held.group, weights=held.count, minlength=groups)
    share = held.count / total[held.group]
    return np.exp(-np.bincount(held.group, weights=share * np.log(share), minlength=groups))


def _by_recursion(held: Held, groups: int, most: int, c: float) -> NDArray[np.float64]:
    """Recursive (c, l): r1 < c (r_l + … + r_m), with r1 ≥ r2 ≥ … the counts of a class."""
    order = np.lexsort((-held.count, held.group))
    group, count = held.group[order], held.count[order]
    starts = np.searchsorted(group, np.arange(groups))
    rank = np.arange(group.size) - starts[group]
    first = np.zeros(groups)
    first[group[rank == 0]] = count[rank == 0]
    reached = np.zeros(groups)
    for wanted in range(1, most + 1):
        rest = np.bincount(group[rank >= wanted - 1], weights=count[rank >= wanted - 1], minlength=groups)
        reached[(first > 0) & (first < c * rest) & (reached == wanted - 1)] = wanted
    return reached
