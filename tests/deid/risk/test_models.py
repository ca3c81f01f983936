"""Privacy models: worked examples of the papers, and pandas as the oracle on random tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.risk.closeness import Ground, closeness
from deid.risk.counting import grouped
from deid.risk.ladder import Ladder, ladder_of
from deid.risk.lattice import Lattice
from deid.risk.models import (
    DeltaPresence,
    KAnonymity,
    KMap,
    LDiversity,
    Model,
    TCloseness,
    group_records,
)
from tests.deid.risk.made import FEW, LADDERS, ROWS, Row, frame_at, one_class_each, records

NODES = [(a, b) for a in range(3) for b in range(2)]
POPULATION = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40)


def by_class(rows: list[Row], node: tuple[int, int]) -> pd.api.typing.DataFrameGroupBy:
    return frame_at(rows, node).drop_duplicates().groupby(["a", "b"])


@FEW
@given(ROWS, st.sampled_from(NODES))
def test_a_class_holds_distinct_patients_and_distinct_patients_of_each_value(
    rows: list[Row], node: tuple[int, int]
) -> None:
    grouping = Lattice(records(rows), LADDERS, []).grouping(node)
    classes = by_class(rows, node)
    assert sorted(grouping.sizes) == sorted(classes["p"].nunique())
    held = grouping.held("v")
    expected = frame_at(rows, node).groupby(["a", "b", "v"])["p"].nunique()
    assert sorted(held.count) == sorted(expected)
    distinct = np.bincount(held.group, minlength=grouping.groups)
    assert sorted(distinct) == sorted(classes["v"].nunique())


@FEW
@given(ROWS, st.sampled_from(NODES))
def test_entropy_and_distinct_diversity_are_those_of_the_shares_of_patients(
    rows: list[Row], node: tuple[int, int]
) -> None:
    grouping = Lattice(records(rows), LADDERS, []).grouping(node)
    entropies, distincts = [], []
    for _, frame in by_class(rows, node):
        counts = frame.groupby("v")["p"].nunique()
        share = counts / counts.sum()
        shared_by_all = bool((counts == frame["p"].nunique()).any())
        entropies.append(1.0 if shared_by_all else math.exp(-(share * np.log(share)).sum()))
        distincts.append(1 if shared_by_all else len(counts))
    assert LDiversity("v", "distinct", 2).found(grouping) == min(distincts)
    assert LDiversity("v", "entropy", 2).found(grouping) == pytest.approx(min(entropies))


@FEW
@given(ROWS, st.sampled_from(NODES), st.integers(1, 3), st.sampled_from([0.5, 1.0, 2.0]))
def test_recursive_diversity_compares_the_commonest_value_with_the_tail(
    rows: list[Row], node: tuple[int, int], wanted: int, c: float
) -> None:
    grouping = Lattice(records(rows), LADDERS, []).grouping(node)
    expected = []
    for _, frame in by_class(rows, node):
        counts = sorted(frame.groupby("v")["p"].nunique(), reverse=True)
        shared_by_all = counts[0] == frame["p"].nunique()
        passes = all(counts[0] < c * sum(counts[level - 1 :]) for level in range(1, wanted + 1))
        expected.append(passes and (wanted == 1 or not shared_by_all))
    assert sorted(LDiversity("v", "recursive", wanted, c).holds(grouping)) == sorted(expected)


@FEW
@given(ROWS, st.sampled_from(NODES))
def test_equal_and_ordered_closeness_compare_with_all_that_is_published(rows: list[Row], node: tuple[int, int]) -> None:
    grouping = Lattice(records(rows), LADDERS, []).grouping(node)
    seen = frame_at(rows, node).drop_duplicates()
    people = seen.groupby(["a", "b", "v"])["p"].nunique().reset_index()
    counts = people.pivot_table(index=["a", "b"], columns="v", values="p", fill_value=0).reindex(columns=range(4))
    counts = counts.fillna(0)
    whole = counts.sum() / counts.to_numpy().sum()
    off = counts.div(counts.sum(axis=1), axis=0) - whole
    equal, ordered = off.abs().sum(axis=1) / 2, off.cumsum(axis=1).abs().sum(axis=1) / 3
    assert TCloseness("v", 0, Ground("equal")).found(grouping) == pytest.approx(equal.max())
    assert TCloseness("v", 0, Ground("ordered")).found(grouping) == pytest.approx(ordered.max())


def test_the_salary_example_of_the_paper_on_t_closeness() -> None:
    # Li et al. 2007, section 5: nine salaries 3k to 11k; {3,4,5} is at 0.375 of the whole and {6,8,11} at 0.167.
    grouping = one_class_each([[0, 1, 2], [3, 5, 8], [4, 6, 7]], values=9)
    distances = closeness(grouping.held("v"), 3, 9, Ground("ordered"))
    assert distances[:2] == pytest.approx([0.375, 1 / 6], abs=1e-3)


DISEASES = ladder_of(  # Li et al. 2007, figure 1: leaves, then stomach/colon and respiratory/…, then one root
    "disease",
    [
        ["flu", "pneumonia", "bronchitis", "oedema", "embolism", "ulcer", "dyspepsia", "gastritis", "colitis"],
        ["infection", "infection", "infection", "vascular", "vascular", "stomach", "stomach", "stomach", "colon"],
        ["respiratory"] * 5 + ["digestive"] * 4,
        ["disease"] * 9,
    ],
)


@pytest.mark.parametrize(
    ("moved", "distance"),
    [((0, 2), 1 / 3), ((0, 3), 2 / 3), ((0, 5), 1.0)],
    ids=["flu to bronchitis", "flu to oedema", "flu to ulcer"],
)
def test_the_hierarchical_distance_of_two_diseases_is_the_height_where_they_meet(
    moved: tuple[int, int], distance: float
) -> None:
    # All of a class has one disease; the whole has half of it and half of the other.
    grouping = one_class_each([[moved[0]] * 4, [moved[1]] * 4], values=9)
    found = closeness(grouping.held("v"), 2, 9, Ground("hierarchy", DISEASES))
    assert found == pytest.approx([distance / 2, distance / 2])


@FEW
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=6))
def test_a_flat_hierarchy_is_the_equal_distance(classes: list[list[int]]) -> None:
    grouping = one_class_each(classes)
    flat = Ladder("v", (np.arange(4), np.zeros(4, np.int64)))
    rootless = Ladder("v", (np.arange(4),))
    held = grouping.held("v")
    expected = closeness(held, len(classes), 4, Ground("equal"))
    assert closeness(held, len(classes), 4, Ground("hierarchy", flat)) == pytest.approx(expected)
    assert closeness(held, len(classes), 4, Ground("hierarchy", rootless)) == pytest.approx(expected)


def test_the_published_table_of_the_paper_on_l_diversity() -> None:
    # Machanavajjhala et al. 2006, figure 3: heart 2/viral 2 · cancer 2/heart 1/viral 1 · cancer 4.
    grouping = one_class_each([[0, 0, 1, 1], [2, 2, 0, 1], [2, 2, 2, 2]])
    assert LDiversity("v", "distinct", 2).holds(grouping).tolist() == [True, True, False]
    assert LDiversity("v", "entropy", 2).holds(grouping).tolist() == [True, True, False]
    assert LDiversity("v", "recursive", 2, 1.5).holds(grouping).tolist() == [True, True, False]
    assert LDiversity("v", "recursive", 3, 3.0).holds(grouping).tolist() == [False, True, False]


def test_a_diagnosis_that_everybody_of_a_class_has_is_disclosed_whatever_else_they_have() -> None:
    # Three patients, each with diagnosis 0 and one more.
    rows: list[Row] = [(p, 0, 0, v) for p in range(3) for v in (0, 1 + p)]
    grouping = Lattice(records(rows), LADDERS, []).grouping((0, 0))
    assert LDiversity("v", "distinct", 2).found(grouping) == 1
    assert not LDiversity("v", "entropy", 2).holds(grouping).any()


@FEW
@given(ROWS, POPULATION, st.sampled_from(NODES), st.integers(1, 6))
def test_k_map_counts_the_population_in_the_classes_of_the_table(
    rows: list[Row], population: list[tuple[int, int]], node: tuple[int, int], k: int
) -> None:
    grouping = Lattice(records(rows, population), LADDERS, []).grouping(node)
    wider = frame_at([(n, a, b, 0) for n, (a, b) in enumerate(population)], node).groupby(["a", "b"])["p"].nunique()
    sample = by_class(rows, node)["p"].nunique()
    people = pd.concat([wider.reindex(sample.index).fillna(0), sample], axis=1).max(axis=1)
    if not population:
        people = sample
    assert KMap(k).found(grouping) == people.min()
    holds = KMap(k).holds(grouping)[grouping.sizes > 0]
    assert int(holds.sum()) == int((people >= k).sum())


def test_presence_is_the_share_of_the_population_that_is_in_the_table() -> None:
    rows: list[Row] = [(0, 0, 0, 0), (1, 1, 0, 0)]
    population = [(0, 0)] * 4 + [(1, 0)] * 2 + [(3, 2)]
    grouping = Lattice(records(rows, population), LADDERS, []).grouping((0, 0))
    assert DeltaPresence(0.0, 0.5).holds(grouping).all()
    assert DeltaPresence(0.0, 0.3).found(grouping) == 0.5
    assert int((~DeltaPresence(0.0, 0.3).holds(grouping)).sum()) == 1
    # People of the population who surely are not in the table are presence too.
    assert DeltaPresence(0.1, 0.5).found(grouping) == 0.0


MODELS: list[Model] = [
    KAnonymity(2),
    KMap(3),
    LDiversity("v", "distinct", 2),
    LDiversity("v", "entropy", 1.5),
    LDiversity("v", "recursive", 2, 2.0),
    TCloseness("v", 0.3, Ground("equal")),
    TCloseness("v", 0.3, Ground("ordered")),
    TCloseness("v", 0.3, Ground("hierarchy", ladder_of("v", [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]]))),
    DeltaPresence(0.0, 0.5),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.words())
@FEW
@given(rows=ROWS, population=POPULATION, lower=st.sampled_from(NODES), upper=st.sampled_from(NODES))
def test_where_all_classes_hold_all_coarser_ones_do_if_patients_add_up(
    model: Model, rows: list[Row], population: list[tuple[int, int]], lower: tuple[int, int], upper: tuple[int, int]
) -> None:
    """The search may tag whole parts of the lattice because of this."""
    above = tuple(map(max, lower, upper))
    made = records([(patient, *row[1:]) for patient, row in enumerate(rows)], population)
    assert made.is_additive
    first, second = (Lattice(made, LADDERS, [model]).grouping(node) for node in (lower, above))
    if model.holds(first)[first.sizes > 0].all():
        assert model.holds(second)[second.sizes > 0].all()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.words())
@FEW
@given(rows=ROWS, population=POPULATION, lower=st.sampled_from(NODES), upper=st.sampled_from(NODES))
def test_a_monotone_model_never_fails_more_rows_further_up(
    model: Model, rows: list[Row], population: list[tuple[int, int]], lower: tuple[int, int], upper: tuple[int, int]
) -> None:
    """Also where patients stand in several tuples: then most models do not say that they are monotone."""
    made = records(rows, population)
    if not model.monotone(made):
        return
    above = tuple(map(max, lower, upper))
    failing = []
    for node in (lower, above):
        grouping = Lattice(made, LADDERS, [model]).grouping(node)
        failing.append(int(made.rows[~model.holds(grouping)[grouping.group]].sum()))
    assert failing[1] <= failing[0]


@FEW
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**40)), max_size=30))
def test_combinations_are_numbered_alike_however_wide_the_codes(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array([pair[n] for pair in pairs], np.int64) for n in (0, 1))
    number, count = grouped([first, second, first], [5, 2**40 + 1, 2**30])
    assert count == len(set(pairs))
    assert len({(n, pair) for n, pair in zip(number.tolist(), pairs, strict=True)}) == count


def test_a_hierarchy_that_splits_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="splits"):
        ladder_of("x", [[0, 1], ["all", "all"], ["one", "two"]])


def test_no_patients_no_classes() -> None:
    grouping = group_records(records([(0, 0, 0, 0)], [(3, 2)]), np.array([0, 1]), 2)
    assert sorted(grouping.sizes) == [0, 1]
    assert KAnonymity(1).found(grouping) == 1
