"""Polars columns and Python values are spelled alike, and read back as the same value."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.readers.parquet_file import null_if_empty
from deid.readers.spelling import UnspellableError, ZonedError, as_text, date_formats, read_as, spell
from deid.treatments.treatment import parsed
from tests.deid.factory import HEAD, Hospital, gates


def spelled(value: object, dtype: pl.DataType, form: str | None = None) -> str | None:
    frame = pl.DataFrame({"x": pl.Series([value], dtype=dtype)})
    return str(text) if (text := frame.select(as_text("x", dtype, {"x": form} if form else {})).item()) else text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_spelled_alike_and_reads_back(value: float) -> None:
    text = spell(value)
    assert spelled(value, pl.Float64()) == text
    assert pl.Series([text]).cast(pl.Float64).item() == value


@given(st.decimals(-(10**12), 10**12, places=4))
def test_a_decimal_loses_only_the_zeros_it_was_padded_with(value: Decimal) -> None:
    text = spelled(value, pl.Decimal(20, 4))
    assert text == spell(value)
    assert text is not None
    assert Decimal(text) == value
    assert "." not in text or not text.endswith("0")


@given(st.dates(date(1000, 1, 1), date(9999, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"]))
def test_a_date_is_spelled_in_the_recipes_format(value: date, form: str) -> None:
    text = spell(value, form)
    assert text == spelled(value, pl.Date(), form)
    assert text == spelled(datetime(value.year, value.month, value.day, 23, 59), pl.Datetime("us"), form)
    assert pl.Series([text]).str.to_date(form).item() == value


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (5.0, pl.Float64(), "5"),
        (float("nan"), pl.Float64(), None),
        (10**18, pl.Int64(), "1000000000000000000"),
        (True, pl.Boolean(), "true"),
        (date(2020, 1, 2), pl.Date(), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5), pl.Datetime("us"), "2020-01-02T03:04:05"),
        (datetime(2020, 1, 2, 3, 4, 5, 600000, UTC), pl.Datetime("us", "UTC"), "2020-01-02T03:04:05.600+00:00"),
        (time(3, 4, 5), pl.Time(), "03:04:05"),
        (None, pl.Null(), None),
    ],
)
def test_spellings_in_particular(value: object, dtype: pl.DataType, text: str | None) -> None:
    assert spell(value) == text
    assert spelled(value, dtype) == text


def test_float32_is_spelled_as_float32() -> None:
    assert spelled(0.1, pl.Float32()) == "0.1"


def test_a_uuid_is_text_and_a_span_of_time_or_bytes_are_nothing_a_field_can_hold() -> None:
    assert spell(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
    for value in (timedelta(1), b"x", [1], {"a": 1}):
        with pytest.raises(UnspellableError):
            spell(value)
    for dtype in (pl.Duration("us"), pl.Binary(), pl.List(pl.Int64()), pl.Struct({"a": pl.Int64()})):
        with pytest.raises(UnspellableError):
            as_text("x", dtype, {})


def test_the_day_of_a_time_stamp_with_a_zone_is_not_guessed() -> None:
    with pytest.raises(ZonedError):
        spell(datetime(2020, 1, 1, tzinfo=UTC), "%Y-%m-%d")
    with pytest.raises(ZonedError):
        as_text("x", pl.Datetime("us", "Asia/Seoul"), {"x": "%Y-%m-%d"})


PLAIN = """\
tables:
  visits:
    file: visits.parquet
    label: 방문
    subject: no
    nulls: [없음, '007', '12', '2021-01-07', '2021-1-7']
    columns:
      no: {{treatment: pseudonym, domain: patient}}
      {others}
      {column}
"""
DAYS = pl.Series("x", [date(2020, 2, 2), None, date(1, 1, 1), date(9999, 12, 31), date(2021, 1, 7)])
NUMBERS = pl.Series("x", [7, None, -(1 << 31), 0, 12], dtype=pl.Int32)
OTHERS = "day: {treatment: keep, type: date}"


@pytest.mark.parametrize(
    ("column", "values", "stays"),
    [
        ("x: {treatment: date_shift, max_days: 3}", DAYS, True),
        ("x: {treatment: keep, type: date}", DAYS, True),
        ("x: {treatment: generalise, age_at: day, band: {width: 5}}", DAYS, True),
        ("x: {treatment: generalise, date: year, format: '%Y%m%d'}", DAYS, False),
        ("x: {treatment: keep}", DAYS, False),
        ("x: {treatment: keep, type: integer}", NUMBERS, True),
        ("x: {treatment: generalise, band: {width: 5}}", NUMBERS, True),
        ("x: {treatment: keep, type: number}", NUMBERS, False),
        ("x: {treatment: generalise, prefix: 1}", NUMBERS, False),
        ("x: {treatment: pseudonym, domain: other}", NUMBERS, False),
        ("x: {treatment: keep, type: integer}", NUMBERS.cast(pl.UInt64, strict=False), False),
        ("x: {treatment: keep, type: integer}\n      note: {treatment: free_text}", NUMBERS, False),
        ("x: {treatment: keep, type: date}\n      y: {treatment: generalise, age_at: x, band: {width: 5}}", DAYS, True),
    ],
)
def test_what_the_recipe_reads_as_days_and_whole_numbers_stays_what_it_is(
    clinic: Hospital, column: str, values: pl.Series, *, stays: bool
) -> None:
    text = PLAIN.format(column=column, others=OTHERS)
    rule = clinic.recipe(HEAD + gates() + text).tables[0]
    found = read_as(rule, "x", values.dtype)
    assert (found is not None) == stays
    if found is None:
        return
    # The same as spelled and parsed again: what the recipe names in `nulls` is missing, by its spelling.
    kind = "date" if values.dtype == pl.Date else "integer"
    spelled_again = null_if_empty(rule, as_text("x", values.dtype, date_formats(rule)))
    both = values.to_frame().select(
        parsed(found, kind, "%Y-%m-%d").alias("stays"), parsed(spelled_again, kind, "%Y-%m-%d").alias("again")
    )
    assert both["stays"].equals(both["again"])
    assert both["stays"].null_count() == 2
