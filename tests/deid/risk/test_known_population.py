"""How near the estimates of people alone in the population are, on populations whose truth is known.

Bounds are what the documentation of `deid/risk/population.py` says, so that it stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest

from deid.report_words import trust_in
from deid.risk.counting import Codes
from deid.risk.population import uniqueness
from tests.bench.adult_table import QUASI, rows
from tests.deid.risk.test_figures import restaurant

Draw = Callable[[np.random.Generator], Codes]
PEOPLE = 30_000


def adult(columns: Sequence[str], years: int = 1) -> Draw:
    keys = rows().with_columns(pl.col("age") // years).select(pl.struct(columns).rank("dense") - 1).to_series()
    return lambda _: keys.cast(pl.Int64).to_numpy()


def zipf(rng: np.random.Generator) -> Codes:
    share = 1 / np.arange(1, 40_001)
    return rng.choice(40_000, size=60_000, p=share / share.sum())


def negative_binomial(alpha: float, beta: float) -> Draw:
    return lambda rng: np.repeat(np.arange(10_000), 1 + rng.negative_binomial(alpha, beta, 10_000))


# By population: lowest estimate over truth, and the highest at 20 %, 25 % and 30 %.
KNOWN: dict[str, tuple[Draw, float, Sequence[float]]] = {
    "Adult, all quasi-identifiers": (adult(QUASI), 0.8, (1.4,) * 3),
    "Adult, ages by five years": (adult(QUASI, 5), 0.8, (1.4,) * 3),
    "Adult without work and marriage": (
        adult(["sex", "age", "race", "education", "native_country"]), 0.8, (1.4,) * 3
    ),
    "Adult by sex, age, education, work": (adult(["sex", "age", "education", "occupation"]), 0.8, (1.4,) * 3),
    "Adult, where hardly anybody is alone": (adult(["sex", "age", "race"]), 0.4, (2.5,) * 3),
    "Ewens-Pitman": (lambda rng: np.array(restaurant(20_000, 0.5, 200, rng)), 0.8, (1.4,) * 3),
    "Zipf": (zipf, 0.8, (1.4,) * 3),
    "some huge classes": (negative_binomial(0.1, 0.05), 0.65, (1.4,) * 3),
    "classes nearly of one size": (
        lambda rng: rng.integers(0, PEOPLE // 3, PEOPLE), 1.0, (5.5, 4.0, 2.6)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_from_a_fifth_to_a_third_of_the_population_the_estimate_is_as_near_as_is_said(name: str) -> None:
    draw, low, highs = KNOWN[name]
    rng = np.random.default_rng(5)
    population = draw(rng)
    truth = float((np.bincount(population) == 1).sum()) / population.size
    for fraction, high in zip((0.2, 0.25, 0.3), highs, strict=True):
        sample = rng.choice(population, size=int(population.size * fraction), replace=False)
        found = uniqueness(np.bincount(sample), fraction)
        assert found.model in {"snb", "zayatz"}
        assert low <= found.population / truth <= high, fraction
        assert found.population < found.sample


@pytest.mark.parametrize("name", [name for name in KNOWN if "hardly" not in name])
def test_from_half_of_the_population_on_the_estimate_is_near_the_truth_everywhere(name: str) -> None:
    rng = np.random.default_rng(6)
    population = KNOWN[name][0](rng)
    truth = float((np.bincount(population) == 1).sum()) / population.size
    sample = rng.choice(population, size=population.size // 2, replace=False)
    assert 0.8 <= uniqueness(np.bincount(sample), 0.5).population / truth <= 1.3


@pytest.mark.parametrize(
    ("fraction", "said"), [(1.0, "nothing is estimated"), (0.6, "0.8 to 1.3"), (0.25, "five"), (0.02, "rough")]
)
def test_the_report_says_how_far_to_believe_it(fraction: float, said: str) -> None:
    assert said in trust_in(fraction)[1]
