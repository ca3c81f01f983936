"""People alone in the population by the slide negative binomial (Chen and Keller-McNulty, J. Official Statistics 1998).

A class of the population holds one person and as many more as a negative binomial with shape alpha and success beta
says; each person is sampled with the sampling fraction. The number of the population's classes is estimated by
Shlosser's estimator as modified by Haas and Stokes (JASA 1998); alpha and beta solve the expected numbers of classes of
one and of two people in the sample. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from deid.risk.counting import Codes

Floats = NDArray[np.float64]
STARTS = ((0.0, 0.0), (-2.0, 2.0), (-2.0, -2.0), (2.0, 2.0))
OFF = 1e-4


def unique_classes(sizes: Codes, fraction: float) -> float | None:
    """Estimate how many people are alone in the population; None where the model does not fit.

    `sizes` are those of the sample's classes, all above 0; `fraction` lies between 0 and 1.
    """
    counts = np.bincount(sizes, minlength=3).astype(np.float64)
    once, twice = float(counts[1]), float(counts[2])
    if not once or not twice:
        return None
    classes = classes_of_population(counts, fraction)

    def off(parameters: Floats) -> Floats:
        alpha, beta = _parameters(parameters)
        return np.array(
            [
                value / seen - 1
                for value, seen in zip(expected(alpha, beta, classes, fraction), (once, twice), strict=True)
            ]
        )

    for start in STARTS:
        solved = least_squares(off, np.array(start), method="lm")
        if np.abs(solved.fun).max() < OFF:
            alpha, beta = _parameters(solved.x)
            return float(classes * beta**alpha)
    return None


def classes_of_population(counts: Floats, fraction: float) -> float:
    """Give Shlosser's modified estimate of the population's classes; `counts[i]` classes hold i of the sample."""
    size = np.arange(1, counts.size)
    held = counts[1:]
    out = (1 - fraction) ** size
    first = (size * fraction**2 * (1 - fraction**2) ** (size - 1) * held).sum()
    second = (((1 - fraction**2) ** size - out) * held).sum()
    ratio = (out * held).sum() / (size * fraction * (1 - fraction) ** (size - 1) * held).sum()
    return float(held.sum() + counts[1] * first / second * ratio**2)


def expected(alpha: float, beta: float, classes: float, fraction: float) -> tuple[float, float]:
    """Give the expected classes of one and of two people in the sample."""
    out = (1 - fraction) * (1 - beta)
    once = classes * fraction * (beta / (1 - out)) ** alpha * (1 + alpha * out / (1 - out))
    pairs = fraction**2 / 2 * alpha * (1 - beta) * (beta / (1 - out)) ** alpha / (1 - out) ** 2
    return once, classes * pairs * (2 - (1 - alpha) * out)


def _parameters(free: Floats) -> tuple[float, float]:
    """Shape above 0 and success between 0 and 1, from numbers without limits."""
    bounded = np.clip(free, -30, 30)
    return float(np.exp(bounded[0])), float(1 / (1 + np.exp(-bounded[1])))
