"""The searches: the lattice against trying every node, Mondrian against what it promises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deid.risk.closeness import Ground
from deid.risk.lattice import Lattice, Limits, classes_of, search
from deid.risk.models import KAnonymity, KMap, LDiversity, Model, TCloseness, allowed, group_records
from deid.risk.mondrian import Axis, partition
from tests.deid.risk.made import FEW, LADDERS, ROWS, Row, frame_at, records

ASKED: list[list[Model]] = [
    [KAnonymity(2)],
    [KAnonymity(3), LDiversity("v", "distinct", 2)],
    [KAnonymity(2), LDiversity("v", "entropy", 1.8)],
    [LDiversity("v", "recursive", 2, 1.5)],
    [KAnonymity(2), TCloseness("v", 0.4, Ground("ordered"))],
    [KMap(4)],
]
SHARES = st.sampled_from([0.0, 0.1, 0.3, 1.0])


def every_node(rows: list[Row], lattice: Lattice, share: float) -> list[tuple[float, tuple[int, ...], int]]:
    """(loss, node, rows removed) of each node within the limit, the slow way."""
    found = []
    for node in product(range(3), range(2)):
        group, good = classes_of(lattice, node)
        kept = good[group]
        removed = int(lattice.records.rows[~kept].sum())
        if removed <= share * len(rows) + 1e-9:
            found.append((lattice.loss(node, kept), node, removed))
    return found


@pytest.mark.parametrize("models", ASKED, ids=lambda models: " ".join(model.words() for model in models))
@FEW
@given(rows=ROWS, share=SHARES, once=st.booleans())
def test_no_node_loses_less_than_the_one_found(
    models: list[Model], rows: list[Row], share: float, *, once: bool
) -> None:
    if once:  # nobody in several tuples: the search may tag more
        rows = [(patient, *row[1:]) for patient, row in enumerate(rows)]
    lattice = Lattice(records(rows), LADDERS, models)
    solution = search(lattice, Limits(share))
    slow = every_node(rows, lattice, share)
    if not slow:
        assert solution is None
        return
    assert solution is not None
    assert solution.loss == pytest.approx(min(slow)[0])
    assert (solution.node, solution.suppressed) in [(node, removed) for _, node, removed in slow]
    assert solution.exact


@FEW
@given(ROWS, st.integers(2, 4))
def test_the_loss_is_the_mean_penalty_over_rows_with_removed_rows_lost(rows: list[Row], k: int) -> None:
    lattice = Lattice(records(rows), LADDERS, [KAnonymity(k)])
    solution = search(lattice, Limits(1.0))
    assert solution is not None
    frame = frame_at(rows, solution.node)
    people = frame.groupby(["a", "b"])["p"].transform("nunique")
    penalty = {0: [0, 1 / 3, 1], 1: [0, 1]}
    each = np.mean([penalty[column][level] for column, level in enumerate(solution.node)])
    assert solution.loss == pytest.approx(np.where(people >= k, each, 1.0).mean())
    assert solution.suppressed == int((people < k).sum())


def test_weights_move_the_loss_to_the_columns_that_matter_less() -> None:
    rows: list[Row] = [(n, n % 4, n % 3, 0) for n in range(12)]
    chosen = []
    for weights in ((10.0, 1.0), (1.0, 10.0)):
        solution = search(Lattice(records(rows), LADDERS, [KAnonymity(3)], weights), Limits())
        assert solution is not None
        chosen.append(solution.node)
    assert chosen == [(0, 1), (2, 0)]


def test_halving_and_tagging_look_at_few_nodes() -> None:
    rows: list[Row] = [(n, n % 4, n % 3, 0) for n in range(12)]
    ladders = [*LADDERS]
    solution = search(Lattice(records(rows), ladders, [KAnonymity(13)]), Limits())
    assert solution is None
    solution = search(Lattice(records(rows), ladders, [KAnonymity(12)]), Limits())
    assert solution is not None
    assert solution.node == (2, 1)
    assert solution.checks < 6


def test_a_search_that_is_cut_short_says_so() -> None:
    rows: list[Row] = [(n, n % 4, n % 3, 0) for n in range(12)]
    solution = search(Lattice(records(rows), LADDERS, [KAnonymity(12)]), Limits(1.0, checks=1))
    assert solution is None or not solution.exact


AXES = [Axis("a", "ordered", np.arange(4.0)), Axis("b", "set", np.arange(3.0))]


@pytest.mark.parametrize("models", ASKED[:5], ids=lambda models: " ".join(model.words() for model in models))
@FEW
@given(rows=ROWS)
# One patient in several parts: each cut changes the whole that t-closeness compares with.
@example(rows=[(0, 0, 0, 0), (0, 0, 0, 3), (0, 0, 1, 3), (0, 2, 0, 0), (1, 0, 0, 3), (1, 0, 1, 0), (1, 1, 0, 0)])
def test_every_part_of_a_mondrian_holds_and_no_part_overlaps_another(models: list[Model], rows: list[Row]) -> None:
    made = records(rows)
    found = partition(made, AXES, models)
    whole = group_records(made, np.zeros(made.rows.size, np.int64), 1)
    if not allowed(models, whole).all():
        assert found is None
        return
    assert found is not None
    assert allowed(models, group_records(made, found.part, found.parts)).all()
    assert set(found.part) == set(range(found.parts))
    boxes = [(made.codes[found.part == n].min(0), made.codes[found.part == n].max(0)) for n in range(found.parts)]
    for n, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:n]:
            assert ((high < other_low) | (other_high < low)).any()


@FEW
@given(ROWS)
def test_without_a_model_every_tuple_is_a_part_and_nothing_is_lost(rows: list[Row]) -> None:
    made = records(rows)
    found = partition(made, AXES, [KAnonymity(1)])
    assert found is not None
    assert (found.parts, found.loss) == (made.rows.size, 0.0)


def test_the_widest_column_is_cut_at_the_median_of_patients() -> None:
    rows: list[Row] = [(n, [0, 0, 0, 1, 3, 3][n], 0, 0) for n in range(6)]
    found = partition(records(rows), AXES, [KAnonymity(3)])
    assert found is not None
    parts = {row[1]: found.part[n] for n, row in enumerate(dict.fromkeys((0, a, 0, 0) for _, a, _, _ in rows))}
    assert parts[0] != parts[1] == parts[3]
    assert found.loss == pytest.approx((0 + 2 / 3) / 2 / 2)
