"""Classes counted by numbers are those that grouping the texts themselves gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deid import grouping
from deid.grouping import PEOPLE, Coded, Grouped, class_sizes, coded, distinct, group_rows
from deid.recipe import QuasiIdentifier
from deid.suppress import ROWS, classify
from deid.transform.columns import INDEX, class_key
from deid.treatments.bands import Band
from deid.versions.tables import DataFile, encryption
from deid.written_classes import classes_in

ENTRIES = [QuasiIdentifier("sex", None), QuasiIdentifier("age", None), QuasiIdentifier("day", "month")]
SCHEMA = {INDEX: pl.UInt32, "sex": pl.String, "age": pl.Int64, "day": pl.Date, "zip": pl.String}
some_rows = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["F", "M", None]), st.sampled_from([1, 2, -(1 << 40), None]),
        st.sampled_from([date(2020, 1, 1), date(2020, 1, 31), date(1931, 2, 1), None]),
        st.sampled_from(["1", "2", None]),
    ),
    max_size=40,
)  # fmt: skip


def by_texts(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """The same by grouping: pairs with their rows, and class sizes with `zip` in place of `sex`."""
    keys = [entry.key for entry in ENTRIES]
    keyed = frame.with_columns(class_key(entry) for entry in ENTRIES)
    pairs = keyed.group_by(INDEX, *keys).len(ROWS).with_columns(pl.col(ROWS).cast(pl.UInt32))
    before = keyed.select(INDEX, "zip", *keys[1:]).unique().group_by("zip", *keys[1:]).len()["len"].to_list()
    return classify(pairs, keys).pairs(), sorted(before)


def by_numbers(frame: pl.DataFrame) -> Grouped:
    columns = {entry.column: frame[entry.column] for entry in ENTRIES}
    return group_rows(ENTRIES, frame[INDEX].cast(pl.Int64).to_numpy(), columns, {"sex": frame["zip"]})


@given(some_rows)
def test_numbers_group_as_texts_do(rows: list[tuple[object, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    expected, sizes = by_texts(frame)
    found = by_numbers(frame)
    names = expected.columns
    assert found.classes.pairs().sort(names).equals(expected.sort(names))
    assert sorted(found.source_sizes.tolist()) == sizes
    # Each row's class is the one its own values say.
    assert found.of_rows is not None
    keys = [entry.key for entry in ENTRIES]
    own = frame.with_columns(class_key(entry) for entry in ENTRIES).select(keys)
    assert found.classes.keys[found.of_rows].select(keys).equals(own)


@given(some_rows)
def test_combinations_that_do_not_fit_one_number_are_grouped_all_the_same(rows: list[tuple[object, ...]]) -> None:
    columns = [np.array([hash(row[at]) % 7 for row in rows], np.int64) for at in (0, 1, 2)]
    expected, counts = distinct(columns, [7, 7, 7])
    found, again = distinct(columns, [1 << 30] * 3)
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert again.tolist() == counts.tolist()
    assert counts.sum() == len(rows)
    assert grouping.ROOM < (1 << 30) ** 3


@given(st.lists(st.one_of(st.none(), st.integers(-(1 << 62), 1 << 62), st.integers(-5, 5)), max_size=30))
def test_a_code_stands_for_its_value(values: list[int | None]) -> None:
    for column in (pl.Series(values, dtype=pl.Int64), pl.Series(map(str, values), dtype=pl.String)):
        found = coded(column)
        assert found.values.gather(found.codes).to_list() == column.to_list()
        assert found.values.n_unique() == found.values.len()


def counted(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    """Distinct patients of each class by grouping the texts themselves."""
    keyed = frame.with_columns(class_key(entry) for entry in ENTRIES)
    found = keyed.group_by(entry.key for entry in ENTRIES).agg(pl.col("who").n_unique().cast(pl.Int64).alias(PEOPLE))
    return sorted(found.rows(), key=str)


@given(some_rows)
def test_patients_of_a_class_are_counted_whether_their_rows_stand_together_or_not(
    rows: list[tuple[int, str | None, int | None, date | None, str | None]],
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(pl.col(INDEX).cast(pl.String).alias("who"))
    for ordered in (frame, frame.sort("who")):
        if ordered.height:
            columns = {name: coded(ordered[name]) for name in ("who", "sex", "age", "day")}
            found = class_sizes(ENTRIES, columns["who"].codes, columns).rows()
            assert sorted(found, key=str) == counted(frame)


@given(st.lists(some_rows, min_size=1, max_size=3), st.booleans())
def test_classes_in_files_are_those_of_their_rows(files: list[list[tuple[object, ...]]], encrypted: bool) -> None:
    """Each file has dictionaries of its own, some hold no row; a patient may stand in two of them."""
    frames = [pl.DataFrame(rows, schema=SCHEMA, orient="row") for rows in files]
    frames = [frame.with_columns(pl.col(INDEX).cast(pl.String).alias("who")).drop(INDEX) for frame in frames]
    key = b"0123456789abcdef" if encrypted else None
    with TemporaryDirectory() as folder:
        written = [DataFile(f"{at}", Path(folder) / f"{at}", key) for at in range(len(frames))]
        for file, frame in zip(written, frames, strict=True):
            frame.write_parquet(file.path, row_group_size=7, encryption=encryption(key) if key else None)
        found = classes_in(ENTRIES, "who", written)
    whole = pl.concat(frames)
    assert (found is None) == (not whole.height)
    if found is not None:
        assert sorted(found.rows(), key=str) == counted(whole)


def test_values_that_have_become_one_are_one_class() -> None:
    """Bands above the last and codes of one chapter: labels that stand under several numbers."""
    bands = Band(10, top=80, bottom=None, type="integer").numbered(pl.Series([80, 90, None, 70, 100]))
    twice = bands.values.gather(bands.codes)
    assert twice.to_list() == ["80+", "80+", None, "70-79", "80+"]
    groups = [group_rows([QuasiIdentifier("age", None)], np.arange(5), {"age": of}, {}) for of in (bands, twice)]
    by_number, by_text = (group.classes.pairs().sort(INDEX) for group in groups)
    assert by_number.equals(by_text)
    assert sorted(groups[0].classes.sizes()) == [1, 1, 3]


def test_as_many_classes_as_patients_are_counted_one_by_one() -> None:
    """70,000 of each: more pairs than 32 bits tell apart, as which the numbers of texts come."""
    count = 70_000
    codes = np.arange(count, dtype=np.uint32)
    column = Coded(codes, pl.Series(codes))
    found = class_sizes([QuasiIdentifier("number", None)], codes[::-1].copy(), {"number": column})
    assert found.height == count
    assert found[PEOPLE].unique().to_list() == [1]
