"""Small tables for the privacy models: people with values, reduced to records as the engine does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

from deid.risk.counting import people_of, values_of
from deid.risk.ladder import Ladder, ladder_of
from deid.risk.models import Grouping, Records, group_records

# Small tables meet their corner cases early.
FEW = settings(deadline=None, max_examples=40)
# Two columns: four values in two groups, three values.
LADDERS = (
    ladder_of("a", [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]]),
    ladder_of("b", [[0, 1, 2], [0, 0, 0]]),
)
# (patient, a, b, sensitive value)
Row = tuple[int, int, int, int]
SENSITIVE = 4
ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 2), st.integers(0, SENSITIVE - 1)),
    min_size=1,
    max_size=30,
)


def records(rows: Sequence[Row], population: Sequence[tuple[int, int]] = ()) -> Records:
    number: dict[tuple[int, int], int] = {}
    for _, a, b, _ in rows:
        number.setdefault((a, b), len(number))
    for pair in population:
        number.setdefault(pair, len(number))
    pairs = np.array(sorted({(p, number[a, b]) for p, a, b, _ in rows}), np.int64)
    seen = np.array(sorted({(p, number[a, b], v) for p, a, b, v in rows}), np.int64)
    people = people_of(pairs[:, 0], pairs[:, 1], len(number))
    values = values_of(seen[:, 0], seen[:, 1], seen[:, 2], SENSITIVE)
    rows_of = np.bincount([number[a, b] for _, a, b, _ in rows], minlength=len(number))
    wider = [number[pair] for pair in population]
    counted = np.bincount(wider, minlength=len(number)).astype(float) if wider else None
    return Records(np.array(list(number), np.int64), rows_of, people, {"v": values}, counted)


def one_class_each(classes: Sequence[Sequence[int]], values: int = SENSITIVE) -> Grouping:
    """Classes given by the sensitive value of each of their patients."""
    people = [(patient, number, value) for number, held in enumerate(classes) for patient, value in enumerate(held)]
    count = len(classes)
    patient = np.arange(len(people))
    place = np.array([number for _, number, _ in people])
    value = np.array([value for _, _, value in people])
    made = Records(
        np.zeros((count, 0), np.int64),
        np.bincount(place, minlength=count),
        people_of(patient, place, count),
        {"v": values_of(patient, place, value, values)},
    )
    return group_records(made, np.arange(count), count)


def frame_at(rows: Sequence[Row], node: tuple[int, ...], ladders: Sequence[Ladder] = LADDERS) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["p", "a", "b", "v"])
    for column, ladder, level in zip("ab", ladders, node, strict=True):
        frame[column] = ladder.levels[level][frame[column]]
    return frame
