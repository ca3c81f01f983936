"""The queries as OpenDP measurements: its library proves each chain's sensitivity and noise; none of that is ours.

All arithmetic before the noise is on whole numbers (values are rounded to multiples of `step`), all noise is discrete
Laplace: floating-point noise leaks (Mironov, CCS 2012). Privacy is pure ε-differential privacy (δ = 0) for adding or
removing one whole patient, with at most `rows` of his or her rows in the data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import opendp.prelude as dp
from numpy.typing import NDArray

from deid.aggregates.spec import Query

Whole = NDArray[np.int64]
# OpenDP's word for "proofs are by the community, not yet formally vetted": all of its transformations need it.
dp.enable_features("contrib")
MECHANISM = "discrete Laplace"
CONFIDENCE = 0.95
ROUNDING = 16


@dataclass(frozen=True)
class Noisy:
    """A published figure: value, noise scale, and the distance within which the truth lies with 95 %."""

    value: float
    scale: float
    within: float

    def plain(self) -> Mapping[str, Any]:
        """Give the figure as plain values."""
        return {"value": self.value, "scale": self.scale, "within_95": self.within}


def noisy_count(entries: Whole, rows: int, epsilon: float) -> Noisy:
    """Count entries, of which each patient has at most `rows`."""
    return _laplace(_whole() >> dp.t.then_count(), entries, rows, epsilon)


def noisy_sum(values: Whole, query: Query, rows: int, epsilon: float) -> Noisy:
    """Sum multiples of `query.step`, each clamped to the bounds."""
    low, high = (math.floor(bound / query.step) for bound in query.bounds)
    summed = _whole() >> dp.t.then_clamp((low, high)) >> dp.t.then_sum()  # type: ignore[no-untyped-call]
    found = _laplace(summed, values, rows, epsilon)
    return Noisy(found.value * query.step, found.scale * query.step, found.within * query.step)


def noisy_mean(values: Whole, query: Query, rows: int) -> Mapping[str, Any]:
    """Divide a noisy sum by a noisy count, half of ε each; the quotient is kept within the bounds."""
    total = noisy_sum(values, query, rows, query.epsilon / 2)
    count = noisy_count(values, rows, query.epsilon / 2)
    mean = total.value / max(1.0, count.value)
    return {"value": min(max(mean, query.bounds[0]), query.bounds[1]), "sum": total.plain(), "count": count.plain()}


def noisy_histogram(bins: Whole, count: int, rows: int, epsilon: float) -> list[Noisy]:
    """Count the entries of each of `count` bins; those numbered otherwise are in none."""
    counted = _whole() >> dp.t.then_count_by_categories(list(range(count)), null_category=False, TOA="i64")
    measured, scale = _calibrated(counted, rows, epsilon)
    within = _within(scale)
    return [Noisy(value, scale, within) for value in measured(_own(bins))]


def _own(values: Whole) -> Whole:
    # The library takes writable arrays only; Polars lends read-only ones.
    return np.array(values)


def _whole() -> Any:
    return dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()


def _laplace(transformation: Any, values: Whole, rows: int, epsilon: float) -> Noisy:
    measured, scale = _calibrated(transformation, rows, epsilon)
    return Noisy(measured(_own(values)), scale, _within(scale))


def _calibrated(transformation: Any, rows: int, epsilon: float) -> tuple[Any, float]:
    """Take the noise that a patient's rows call for; OpenDP must prove that it costs at most epsilon."""
    scale = transformation.map(rows) / epsilon
    for _ in range(ROUNDING):
        measured = transformation >> dp.m.then_laplace(scale)
        if measured.check(rows, epsilon):
            return measured, float(scale)
        scale *= 1 + 2**-48  # the division was rounded down
    raise RuntimeError("the library does not prove the price asked for")


def _within(scale: float) -> float:
    return float(dp.discrete_laplacian_scale_to_accuracy(scale, 1 - CONFIDENCE))


def binned(values: Sequence[float | None], edges: Sequence[float]) -> Whole:
    """Return the number of each value's bin, -1 outside of all."""
    numbers = np.array([math.nan if value is None else value for value in values])
    places = np.searchsorted(edges, numbers, side="right") - 1
    inside = (numbers >= edges[0]) & (numbers < edges[-1])
    return np.where(inside, places, -1).astype(np.int64)
