"""Information kept: what a published column tells of the source is never more than there was."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.risk.told import entropy, told
from tests.deid.risk.made import FEW

LETTERS = st.sampled_from(["a", "b", "c", None])
ROWS = st.lists(st.tuples(LETTERS, LETTERS, st.booleans()), max_size=40)


def texts(values: list[str | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


@given(st.lists(LETTERS, max_size=50))
def test_entropy_is_shannons_and_a_missing_value_is_a_value(values: list[str | None]) -> None:
    shares = pd.Series(values, dtype=object).fillna("missing").value_counts(normalize=True)
    expected = -sum(share * math.log2(share) for share in shares)
    assert entropy(texts(values).to_frame()) == pytest.approx(expected, abs=1e-9)


@FEW
@given(ROWS)
def test_what_is_told_lies_between_nothing_and_all_whatever_is_published(
    rows: list[tuple[str | None, str | None, bool]],
) -> None:
    stay = [row for row in rows if row[2]]
    found = told(
        texts([a for a, _, _ in rows]), texts([b for _, b, _ in stay]), texts([a for a, _, _ in stay]), moved=False
    )
    assert 0 <= found.after <= found.before
    assert 0 <= found.kept <= 1


@FEW
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.lists(st.integers(-30, 30), min_size=60, max_size=60))
def test_moved_numbers_never_tell_more_than_there_was(values: list[int], moves: list[int]) -> None:
    source = pl.Series(values)
    found = told(source, source + pl.Series(moves[: len(values)]), source, moved=True)
    assert 0 <= found.kept <= 1


def test_a_label_for_each_value_tells_the_labels_entropy() -> None:
    source = texts(["a", "a", "b", "c", "c", "c", None, "b"])
    label = texts(["x", "x", "x", "y", "y", "y", None, "x"])
    assert told(source, label, source, moved=False).after == pytest.approx(entropy(label.to_frame()))
    assert told(source, source, source, moved=False).kept == 1.0


def test_rows_that_go_take_their_information_along_though_those_left_are_more_even() -> None:
    source, stayed = texts(["a"] * 8 + ["b"] * 2), texts(["a"] * 2 + ["b"] * 2)
    found = told(source, stayed, stayed, moved=False)
    before = -(0.8 * math.log2(0.8) + 0.2 * math.log2(0.2))
    assert found.before == pytest.approx(before)
    assert found.kept == pytest.approx(0.4 * 1.0 / before)


def test_little_noise_keeps_most_much_noise_little_and_a_value_of_its_own_for_each_row_is_not_everything() -> None:
    rng = np.random.default_rng(3)
    source = pl.Series(rng.normal(100, 10, 20_000))
    noisy = {within: source + pl.Series(rng.uniform(-within, within, 20_000)) for within in (0.01, 5, 500)}
    kept = [told(source, published, source, moved=True).kept for published in noisy.values()]
    assert kept[0] > 0.98
    assert 0.2 < kept[1] < 0.8
    assert kept[2] < 0.02


def test_shifted_days_keep_what_a_shift_leaves_of_the_calendar() -> None:
    rng = np.random.default_rng(4)
    days = [date(2020, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 1000, 5_000)]
    source = pl.Series([*days, None], dtype=pl.Date)
    kept = []
    for most in (10, 200):
        moves = rng.integers(-most, most + 1, 5_000)
        moved = [day + timedelta(days=int(by)) for day, by in zip(days, moves, strict=True)]
        kept.append(told(source, pl.Series([*moved, None], dtype=pl.Date), source, moved=True).kept)
    assert 0.7 < kept[0] < 1
    assert 0.1 < kept[1] < 0.5
