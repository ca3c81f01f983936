"""Rows of a snapshot stand by patient, then by a hash of the row, then by their columns: what the long way gives."""

from __future__ import annotations

import operator
from functools import reduce

import numpy as np
import polars as pl
import pytest

from deid.transform.columns import INDEX
from deid.write import ordered, stretches


def rows(count: int, values: int) -> pl.DataFrame:
    """Rows of three patients; the fewer the values, the more rows are equal."""
    random = np.random.default_rng(7)
    number = pl.Series("number", random.integers(0, values, count))
    columns = [
        pl.Series(INDEX, random.integers(0, 3, count), dtype=pl.UInt32),
        number,
        number.cast(pl.String).alias("text"),
    ]
    return pl.DataFrame(columns).with_columns(pl.when(pl.col("number") > 1).then(pl.col("text")))


@pytest.mark.parametrize(("people", "hash_bits"), [(3, 38), (1 << 26, 38), (1 << 27, 32)])
@pytest.mark.parametrize(("count", "values"), [(0, 1), (1, 1), (500, 4), (9_000, 1 << 40)])
def test_rows_come_by_patient_then_hash_then_columns(count: int, values: int, people: int, hash_bits: int) -> None:
    frame = rows(count, values)
    hashed = reduce(operator.xor, (pl.col(name).hash(seed) for seed, name in enumerate(["number", "text"])))
    expected = frame.sort(INDEX, hashed % (1 << hash_bits), "number", "text")
    assert ordered(frame, people).equals(expected)


def test_first_bits_of_the_hash_that_are_equal_are_met_here() -> None:
    """In nine thousand rows, where there is room for 18 bits, some differ only further on."""
    frame = rows(9_000, 1 << 40)
    hashed = reduce(operator.xor, (pl.col(name).hash(seed) for seed, name in enumerate(["number", "text"])))
    first = frame.select(INDEX, (hashed % (1 << 32)) // (1 << 14))
    assert first.is_duplicated().any()
    assert not frame.is_duplicated().any()


@pytest.mark.parametrize("part_rows", [1, 90, 1_000])
def test_buckets_are_taken_in_stretches_of_so_many_rows_none_left_out(
    monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    monkeypatch.setattr("deid.write.PART_ROWS", part_rows)
    cuts = np.array([0, 0, 50, 80, 80, 300, 310, 310])
    found = list(stretches(cuts))
    buckets = [(first + at, *each[at : at + 2].tolist()) for first, each in found for at in range(len(each) - 1)]
    assert buckets == [(at, *cuts[at : at + 2].tolist()) for at in range(len(cuts) - 1)]
    # More rows only where one bucket has them.
    assert all(each[-1] - each[0] <= part_rows or len(each) == 2 for _, each in found)
    assert part_rows < 1_000 or len(found) == 1
