"""How many of the people who are alone in the sample are alone in the population too: estimates from the sample.

Zayatz (1991): the sample's class sizes stand for the population's. Pitman (Hoshino, Journal of Official Statistics
2001): class sizes follow the Ewens-Pitman distribution, fitted by maximum likelihood. `snb.py`: slide neg. binomial.
Which to believe: Dankar et al. (BMC Medical Informatics and Decision Making 2012): Pitman for sampling fractions up to
10 %, else the lower of Zayatz and slide negative binomial. Pure.

How far to believe it was measured on populations whose truth is known (`tests/deid/risk/test_known_population.py`):
Adult under six sets of quasi-identifiers, Ewens-Pitman, negative binomial, Zipf and uniform ones. Estimate over truth:

- from 50 % on: 0.8 to 1.3 everywhere;
- 20 to 30 %: 0.8 to 1.4 on Adult where 1 % or more are alone; where hardly anybody is, up to 2.5. Too high, up to five
  times at 20 % and half of that at 30 %, where classes are nearly of one size; down to 0.7 where some classes are huge
  beside very many people alone;
- 10 to 20 %: as above, but up to seven times too high;
- up to 10 %: 0.5 to 2.3 by Pitman. Where it does not fit, Zayatz stands in, and may be 16 times too high.

So it errs to the safe side on even classes; a limit on it (`population_unique`) should leave a factor of two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from deid.risk.counting import Codes
from deid.risk.snb import unique_classes

SMALL_FRACTION = 0.1
EDGE = 1e-6
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Uniqueness:
    """People alone in their class: in the sample, and expected in the population by each estimate.

    `population` is the share of the population's people who are alone in it by the estimate named in `model`;
    `pitman` and `snb` are None where the model does not fit; `fraction` is the sampling fraction.
    """

    sample: float
    zayatz: float
    pitman: float | None
    snb: float | None
    population: float
    model: str
    fraction: float


def uniqueness(sizes: Codes, fraction: float) -> Uniqueness:
    """Estimate from class sizes in distinct patients and the sampling fraction, above 0 to 1. Raises `ValueError`."""
    if not 0 < fraction <= 1:
        raise ValueError("a sampling fraction lies above 0 and not above 1")
    sizes = sizes[sizes > 0]
    people = int(sizes.sum())
    alone = int((sizes == 1).sum())
    if not people or fraction == 1 or not alone:
        share = alone / people if people else 0.0
        return Uniqueness(share, share, share, share, share, "sample", fraction)
    by_zayatz = _zayatz(sizes, people, fraction)
    by_pitman = _pitman(sizes, people, fraction)
    classes = unique_classes(sizes, fraction)
    by_snb = None if classes is None else min(1.0, classes / (people / fraction))
    value, chosen = by_zayatz, "zayatz"
    if fraction <= SMALL_FRACTION:
        if by_pitman is not None:
            value, chosen = by_pitman, "pitman"
    elif by_snb is not None and by_snb < by_zayatz:
        value, chosen = by_snb, "snb"
    return Uniqueness(alone / people, by_zayatz, by_pitman, by_snb, value, chosen, fraction)


def _zayatz(sizes: Codes, people: int, fraction: float) -> float:
    """Return the expected share of population uniques, with the sample's distribution of class sizes as its own."""
    size, classes = np.unique(sizes, return_counts=True)
    share = classes / classes.sum()
    population = round(people / fraction)
    # P(one of the class is drawn | j in the population): hypergeometric.
    drawn = np.exp(
        np.log(size)
        + _choose(np.maximum(population - size, 0), people - 1)
        - _choose(np.full(size.shape, population), people)
    )
    unique = float(share[size == 1].sum() * drawn[0]) / float((share * drawn).sum()) if size[0] == 1 else 0.0
    expected = unique * int((sizes == 1).sum()) / fraction
    return min(1.0, expected / population)


def _choose(n: NDArray[np.int64], k: int) -> Floats:
    inside = n >= k
    logs = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(np.maximum(n - k, 0) + 1.0)
    return np.where(inside, logs, -np.inf)


def _pitman(sizes: Codes, people: int, fraction: float) -> float | None:
    size, classes = np.unique(sizes, return_counts=True)
    count = int(classes.sum())
    if count < 2 or count == people:  # noqa: PLR2004 - one class, or nothing but uniques: no maximum
        return None

    def unlikely(parameters: Floats) -> float:
        alpha, theta = 1 / (1 + np.exp(-parameters[0])), np.exp(parameters[1])
        steps = np.arange(1, count)
        grown = np.log(theta + alpha * steps).sum() - gammaln(theta + people) + gammaln(theta + 1)
        within = (classes * (gammaln(size - alpha) - gammaln(1 - alpha))).sum()
        return -float(grown + within)

    fitted = minimize(unlikely, np.array([0.0, np.log(count)]), method="Nelder-Mead", options={"maxiter": 2000})
    alpha, theta = 1 / (1 + np.exp(-fitted.x[0])), np.exp(fitted.x[1])
    if not fitted.success or not EDGE < alpha < 1 - EDGE:
        return None
    population = people / fraction
    # E[people alone] = N (theta + alpha)_(N - 1) / (theta + 1)_(N - 1), rising factorials.
    log = (
        gammaln(theta + alpha + population - 1)
        - gammaln(theta + alpha)
        - gammaln(theta + population)
        + gammaln(theta + 1)
    )
    return float(min(1.0, np.exp(log)))
