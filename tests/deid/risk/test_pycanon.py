"""The models against what pycanon 1.3.5 (Apache-2.0) answers on random tables; stored, as it fits no venv of ours.

Each table: 24 people as `abv`, two quasi-identifiers and a sensitive value. pycanon gives the entropy l as a whole
number. Its recursive (c, l) takes the *rarest* value for the commonest of Machanavajjhala et al. (it sorts upwards), so
that one is tested against the paper and pandas alone (`test_models.py`).
"""

from __future__ import annotations

import math

import pytest

from deid.risk.closeness import Ground
from deid.risk.lattice import Lattice
from deid.risk.models import KAnonymity, LDiversity, TCloseness
from tests.deid.risk.made import LADDERS, Row, records

# (rows, (k, distinct l, entropy l, t by equal distance, t by ordered distance))
Answer = tuple[int, int, int, float, float]
STORED: list[tuple[str, Answer]] = [
    (
        "101 110 113 003 011 011 011 000 000 112 101 110 101 102 103 100 101 100 101 100 000 112 110 011",
        (4, 1, 1, 0.625, 0.25),
    ),
    (
        "013 102 101 110 000 003 101 100 011 002 101 003 010 101 011 000 101 112 001 000 102 101 101 112",
        (3, 2, 1, 0.541666667, 0.180555556),
    ),
    (
        "110 003 011 011 010 100 000 012 011 112 111 111 101 001 102 001 102 001 012 111 011 110 011 010",
        (4, 3, 2, 0.291666667, 0.097222222),
    ),
    (
        "102 001 011 012 000 112 110 110 011 003 000 011 110 012 012 000 112 101 001 012 011 002 102 100",
        (4, 2, 1, 0.333333333, 0.138888889),
    ),
    (
        "111 101 101 113 110 110 111 001 013 111 010 013 111 101 101 010 101 112 000 111 000 110 000 003",
        (4, 1, 1, 0.541666667, 0.263888889),
    ),
]


@pytest.mark.parametrize(("text", "answer"), STORED, ids=[f"table {number}" for number in range(len(STORED))])
def test_k_l_and_t_are_those_of_pycanon(text: str, answer: Answer) -> None:
    rows: list[Row] = [(n, *(int(digit) for digit in word)) for n, word in enumerate(text.split())]  # type: ignore[misc]
    grouping = Lattice(records(rows), LADDERS, []).grouping((0, 0))
    # What pycanon means by the distance over all values is ours only if each occurs.
    values = len({row[3] for row in rows})
    assert values == 4
    k, distinct, entropy, equal, ordered = answer
    assert KAnonymity(1).found(grouping) == k
    assert LDiversity("v", "distinct", 2).found(grouping) == distinct
    assert math.floor(LDiversity("v", "entropy", 2).found(grouping) + 1e-9) == entropy
    assert TCloseness("v", 1, Ground("equal")).found(grouping) == pytest.approx(equal, abs=1e-8)
    assert TCloseness("v", 1, Ground("ordered")).found(grouping) == pytest.approx(ordered, abs=1e-8)
