"""Uniqueness in the population, loss measures, query error and the task: by hand, by simulation, by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, nbinom

from deid.risk.covering import Cover, covers_of
from deid.risk.lattice import Lattice, classes_of
from deid.risk.loss import loss_of
from deid.risk.models import KAnonymity
from deid.risk.population import uniqueness
from deid.risk.query_error import query_error
from deid.risk.snb import expected
from deid.risk.task import Features, task_of
from tests.deid.risk.made import FEW, LADDERS, ROWS, Row, frame_at, records


@FEW
@given(st.lists(st.integers(0, 9), max_size=40), st.sampled_from([0.05, 0.3, 0.9, 1.0]))
def test_an_estimate_is_a_share(sizes: list[int], fraction: float) -> None:
    found = uniqueness(np.array(sizes, np.int64), fraction)
    for share in (found.sample, found.zayatz, found.population, found.pitman or 0.0, found.snb or 0.0):
        assert 0 <= share <= 1
    assert found.sample == pytest.approx(sizes.count(1) / max(1, sum(sizes)))


def test_with_everybody_in_the_sample_nothing_is_estimated() -> None:
    found = uniqueness(np.array([1, 1, 2]), 1.0)
    assert (found.population, found.model) == (0.5, "sample")


@pytest.mark.parametrize("fraction", [0.0, 1.5, -1.0])
def test_a_sampling_fraction_lies_in_reach(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        uniqueness(np.array([1, 2]), fraction)


def restaurant(people: int, alpha: float, theta: float, rng: np.random.Generator) -> list[int]:
    """Seat people by the Ewens-Pitman process: the table of each, in order."""
    seats: list[int] = []
    taken: list[int] = []
    while len(seats) < people:
        if rng.random() * (theta + len(seats)) < theta + alpha * len(taken):
            seats.append(len(taken))
            taken.append(1)
            continue
        table = seats[int(rng.integers(len(seats)))]
        while rng.random() < alpha / taken[table]:
            table = seats[int(rng.integers(len(seats)))]
        seats.append(table)
        taken[table] += 1
    return seats


@pytest.mark.parametrize("fraction", [0.05, 0.1])
def test_pitmans_estimate_is_near_the_truth_of_a_simulated_population(fraction: float) -> None:
    rng = np.random.default_rng(7)
    population = np.array(restaurant(20_000, 0.5, 200, rng))
    sample = rng.choice(population, size=int(20_000 * fraction), replace=False)
    truth = (np.bincount(population) == 1).sum() / 20_000
    found = uniqueness(np.bincount(sample), fraction)
    assert found.model == "pitman"
    assert found.population == pytest.approx(truth, rel=0.3)
    assert found.sample > 2 * truth


def test_zayatz_is_near_the_truth_where_much_of_the_population_is_in_the_sample() -> None:
    rng = np.random.default_rng(8)
    share = 1 / np.arange(1, 60_001)
    population = rng.choice(60_000, size=100_000, p=share / share.sum())
    sample = rng.choice(population, size=50_000, replace=False)
    truth = (np.bincount(population) == 1).sum() / 100_000
    found = uniqueness(np.bincount(sample), 0.5)
    assert found.zayatz == pytest.approx(truth, rel=0.35)
    assert found.population == min(found.zayatz, found.snb or 1.0)


@pytest.mark.parametrize(("alpha", "beta", "fraction"), [(2.0, 0.4, 0.6), (0.5, 0.2, 0.5), (1.0, 0.6, 0.7)])
def test_the_slide_negative_binomial_finds_the_uniques_of_a_population_that_follows_it(
    alpha: float, beta: float, fraction: float
) -> None:
    rng = np.random.default_rng(11)
    population = 1 + rng.negative_binomial(alpha, beta, 40_000)
    sizes = rng.binomial(population, fraction)
    truth = (population == 1).sum() / population.sum()
    found = uniqueness(sizes, fraction)
    assert found.snb == pytest.approx(truth, rel=0.25)
    assert found.population == min(found.zayatz, found.snb or 1.0)
    assert found.model == ("snb" if found.population == found.snb else "zayatz")


def test_the_expected_classes_of_the_slide_negative_binomial_are_those_of_a_sum_over_class_sizes() -> None:
    alpha, beta, fraction, more = 1.7, 0.35, 0.3, np.arange(400)
    share = nbinom.pmf(more, alpha, beta)
    for people, classes in zip((1, 2), expected(alpha, beta, 1.0, fraction), strict=True):
        assert classes == pytest.approx((share * binom.pmf(people, more + 1, fraction)).sum())


def test_where_the_sample_has_no_pairs_the_slide_negative_binomial_says_nothing() -> None:
    assert uniqueness(np.array([1, 1, 1, 3]), 0.5).snb is None


def test_loss_measures_of_a_table_one_can_count_by_hand() -> None:
    # Values 0 0 1 | 2 3 at level 1, b untouched: classes of 3 and 2; the class of 2 goes with k = 3.
    rows: list[Row] = [(n, a, 0, 0) for n, a in enumerate([0, 0, 1, 2, 3])]
    lattice = Lattice(records(rows), LADDERS, [KAnonymity(3)])
    group, good = classes_of(lattice, (1, 0))
    found = loss_of(lattice.records.rows, covers_of(lattice, (1, 0)), good[group], 3)
    ncp = (3 * (1 / 3 / 2) + 2 * 1) / 5
    assert found.ncp == pytest.approx(ncp, abs=1e-6)
    assert found.granularity == pytest.approx(1 - ncp, abs=1e-6)
    assert found.discernibility == pytest.approx((9 + 2 * 5) / 25)
    assert found.aecs == 1.0
    assert found.precision == pytest.approx((3 / 5) * (1 - (1 / 2 + 0) / 2))
    # Bits: 0 is 2 of 3, 1 is 1 of 3; the removed lose log2(5) each; b has one value and loses nothing.
    bits = 2 * np.log2(3 / 2) + np.log2(3) + 2 * np.log2(5)
    worst = 2 * np.log2(5 / 2) + 3 * np.log2(5)
    assert found.entropy == pytest.approx(bits / worst, abs=1e-6)


@FEW
@given(ROWS)
def test_nothing_is_lost_and_nothing_is_wrong_where_nothing_is_done(rows: list[Row]) -> None:
    lattice = Lattice(records(rows), LADDERS, [KAnonymity(1)])
    kept = np.ones(lattice.records.rows.size, np.bool_)
    covers = covers_of(lattice, (0, 0))
    found = loss_of(lattice.records.rows, covers, kept, 1)
    assert (found.ncp, found.granularity, found.entropy, found.precision) == (0.0, 1.0, 0.0, 1.0)
    assert found.aecs == pytest.approx(len(rows) / len(frame_at(rows, (0, 0)).drop_duplicates(["a", "b"])), abs=1e-6)
    assert query_error(lattice.records.rows, covers, kept, seed=1) == 0.0


@FEW
@given(ROWS)
def test_a_table_of_which_nothing_is_left_has_lost_everything(rows: list[Row]) -> None:
    lattice = Lattice(records(rows), LADDERS, [KAnonymity(1)])
    none = np.zeros(lattice.records.rows.size, np.bool_)
    covers = covers_of(lattice, (0, 0))
    found = loss_of(lattice.records.rows, covers, none, 1)
    assert (found.ncp, found.discernibility, found.precision) == (1.0, 1.0, 0.0)
    assert query_error(lattice.records.rows, covers, none, seed=1) == 1.0


def test_sets_and_ranges_are_measured_as_levels_are() -> None:
    # Source values 0 1 2 3. Label 0 is the set {0, 2}, label 1 the range 1..3 though nobody there has 2.
    pairs = np.array([0, 0, 1, 1, 1]), np.array([0, 2, 1, 2, 3])
    cover = Cover(np.array([0, 2, 1, 3]), 4, np.array([0, 0, 1, 1]), 2, *pairs)
    rows = np.array([3, 1, 2, 2])
    found = loss_of(rows, [cover], np.ones(4, np.bool_), 2)
    assert found.ncp == pytest.approx((4 * (1 / 3) + 4 * (2 / 3)) / 8, abs=1e-6)
    assert (found.discernibility, found.aecs, found.precision) == ((16 + 16) / 64, 2.0, None)
    # 4 rows have 0 or 2, 5 have 1, 2 or 3.
    bits = 3 * np.log2(4 / 3) + np.log2(4) + 4 * np.log2(5 / 2)
    assert found.entropy == pytest.approx(bits / (3 * np.log2(8 / 3) + np.log2(8) + 4 * np.log2(4)), abs=1e-6)


def test_the_coarser_the_groups_the_more_wrong_the_counts() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.choice(4, 500, p=[0.6, 0.05, 0.3, 0.05]), rng.choice(3, 500, p=[0.7, 0.2, 0.1])
    rows: list[Row] = [(n, int(a), int(b), 0) for n, (a, b) in enumerate(zip(first, second, strict=True))]
    lattice = Lattice(records(rows), LADDERS, [KAnonymity(1)])
    kept = np.ones(lattice.records.rows.size, np.bool_)
    nodes = [covers_of(lattice, node) for node in ((0, 0), (1, 0), (2, 1))]
    errors = [query_error(lattice.records.rows, covers, kept, seed=5) for covers in nodes]
    assert errors[0] == 0.0 < errors[1] <= errors[2]
    assert query_error(lattice.records.rows, nodes[2], kept, seed=5) == errors[2]


def test_a_model_learns_what_is_there_and_no_more() -> None:
    rng = np.random.default_rng(5)
    cause = rng.integers(0, 4, 4000)
    target = np.where(rng.random(4000) < 0.9, cause // 2, 1 - cause // 2)
    patient = rng.integers(0, 800, 4000)
    fine, blurred = Features((cause,), (4,)), Features((np.zeros(4000, np.int64),), (1,))
    found = task_of("event", [fine, blurred], target, patient)
    assert found.before == pytest.approx(0.9, abs=0.02)
    assert found.after == pytest.approx(found.baseline, abs=0.02)
    halves = task_of("event", [fine, Features((cause // 2,), (2,))], target, patient)
    assert halves.after == pytest.approx(halves.before, abs=0.01)


def test_no_patient_is_learned_from_and_predicted() -> None:
    # Each patient's rows share a target that only the patient explains: nothing is to be learned.
    patient = np.repeat(np.arange(200), 10)
    target = np.random.default_rng(1).integers(0, 2, 200)[patient]
    state = Features((patient,), (200,))
    found = task_of("event", [state, state], target, patient)
    assert found.before == pytest.approx(0.5, abs=0.12)
