"""Re-identification risk of a set of classes, counted over distinct patients. Pure: class sizes in, figures out.

Prosecutor: the attacker knows that the person is in the data; the risk of a record is 1/size of its class.
Journalist: somebody of the population, here all patients of the source; the class size there counts.
Marketer: as many people as possible; the expected share of correct matches.
(El Emam, Guide to the De-Identification of Personal Health Information, 2013, ch. 16.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bars of the plot: smallest and largest class size of each.
BINS = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, None))


@dataclass(frozen=True)
class Risk:
    """Figures of one state of a table; a record is a (patient, class) pair; `patients_by_size` follows `BINS`."""

    records: int
    classes: int
    smallest: int
    unique_share: float
    prosecutor_max: float
    journalist_max: float
    marketer: float
    patients_by_size: tuple[int, ...]


def risk_of(sizes: NDArray[np.int64], population: NDArray[np.int64] | None = None) -> Risk:
    """Measure classes by their sizes in distinct patients; `population` holds the same classes' sizes in the source.

    Classes of size 0 (all suppressed) do not count.
    """
    alive = sizes > 0
    wider = (sizes if population is None else population)[alive]
    sizes = sizes[alive]
    records = int(sizes.sum())
    if not records:
        return Risk(0, 0, 0, 0.0, 0.0, 0.0, 0.0, tuple(0 for _ in BINS))
    return Risk(
        records=records,
        classes=int(sizes.size),
        smallest=int(sizes.min()),
        unique_share=_share(int(sizes[sizes == 1].sum()), records),
        prosecutor_max=_share(1, int(sizes.min())),
        journalist_max=_share(1, int(wider.min())),
        marketer=_share(int(sizes.size), records),
        patients_by_size=tuple(_between(sizes, low, high) for low, high in BINS),
    )


def _between(sizes: NDArray[np.int64], low: int, high: int | None) -> int:
    inside = sizes >= low if high is None else (sizes >= low) & (sizes <= high)
    return int(sizes[inside].sum())


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6)
