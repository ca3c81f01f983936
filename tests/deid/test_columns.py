"""Each treatment against plain Python, value by value."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.recipe import ColumnRule, Label, TableRule
from deid.recipe_source import Origin
from deid.recipe_yaml import read
from deid.transform.columns import select_published
from deid.treatments.parse import parse_treatment
from deid.treatments.treatment import parsed


def rule(text: str) -> ColumnRule:
    node = read(Path("t.yaml"), text.encode())
    fields = {name: value for name, (_, value) in node.pairs().items()}
    return ColumnRule("x", "x", parse_treatment(node, fields, node.pairs()), Label("x", "x"), direct=False, node=node)


def treat(text: str, values: list[str | None], **others: list[str]) -> list[object]:
    columns = {"x": values, **others}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).lazy()
    one = rule(text)
    table = TableRule("t", Origin("csv", "t.csv"), Label("t", "t"), "x", (), (), (one,), ())
    return select_published(frame, [one], table).collect()["x"].to_list()


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{treatment: keep}", ["a", " b ", None], ["a", " b ", None]),
        ("{treatment: keep, type: number}", ["1.5", " 2 ", None, "NaN"], [1.5, 2.0, None, None]),
        ("{treatment: keep, type: date, format: '%Y%m%d'}", ["20240229"], [date(2024, 2, 29)]),
        ("{treatment: generalise, band: {width: 5, top: 85, bottom: 20}}",
         ["19", "20", "24", "25", "84", "85", "120", None],
         ["<20", "20-24", "20-24", "25-29", "80-84", "85+", "85+", None]),
        ("{treatment: generalise, type: number, band: {width: 10, top: 190}}",
         ["159.9", "160", "169.99", "190.5"], ["150-159", "160-169", "160-169", "190+"]),
        ("{treatment: generalise, band: {width: 1}}", ["7", "-1"], ["7", "-1"]),
        ("{treatment: generalise, band: {width: 10}}", ["-1", "0"], ["-10--1", "0-9"]),
        ("{treatment: generalise, prefix: 2}", ["가나다", "a", "", None], ["가나", "a", "", None]),
        ("{treatment: generalise, map: {a: 하나, b: 둘}, other: 기타}", ["a", "b", "z"], ["하나", "둘", "기타"]),
        ("{treatment: generalise, map: {a: 하나}, other: 기타}", [None], [None]),
        ("{treatment: generalise, map: {a: 하나}}", ["a", None], ["하나", None]),
        ("{treatment: generalise, date: year}", ["2024-12-31", None], [2024, None]),
        ("{treatment: generalise, date: month}", ["2024-02-29"], ["2024-02"]),
        ("{treatment: top_code, at: 100}", ["99.5", "101", None], [99.5, 100.0, None]),
        ("{treatment: top_code, type: integer, at: 100}", ["99", "101"], [99, 100]),
        ("{treatment: bottom_code, at: 10}", ["9", "11"], [10.0, 11.0]),
        ("{treatment: round, to: 10}", ["14", "15", "-14"], [10.0, 20.0, -10.0]),
        ("{treatment: round, type: integer, to: 30}", ["44", "46"], [30, 60]),
    ],
)  # fmt: skip
def test_a_treatment_does_what_the_handbook_says(text: str, values: list[str | None], expected: list[object]) -> None:
    assert treat(text, values) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{treatment: keep, type: integer}", "1.0"),
        ("{treatment: keep, type: integer}", "9223372036854775808"),
        ("{treatment: keep, type: number}", "1,000"),
        ("{treatment: keep, type: date}", "2023-02-29"),
        ("{treatment: generalise, map: {a: 하나}}", "b"),
    ],
)
def test_a_value_that_does_not_fit_stops_the_run(text: str, value: str) -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        treat(text, [value])


DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@given(DATES, DATES)
def test_age_is_counted_in_completed_years(birth: date, at: date) -> None:
    text = "{treatment: generalise, age_at: at, band: {width: 1}}"
    expected = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    assert treat(text, [str(birth)], at=[str(at)]) == [str(expected)]


def test_age_at_a_fixed_day() -> None:
    text = "{treatment: generalise, age_at: '2010-01-01', band: {width: 10, top: 80}}"
    assert treat(text, ["1980-01-01", "1980-01-02", "1920-05-05"]) == ["30-39", "20-29", "80+"]


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), st.integers(1, 50))
def test_every_number_lies_in_the_band_it_is_given(values: list[int], width: int) -> None:
    text = f"{{treatment: generalise, band: {{width: {width}}}}}"
    for value, label in zip(values, treat(text, [str(v) for v in values]), strict=True):
        low = value // width * width
        assert label == (f"{low}-{low + width - 1}" if width > 1 else str(value))


@given(st.lists(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), max_size=30))
def test_dates_are_read_alike_with_blanks_around_some_of_them_and_without(days: list[date]) -> None:
    plain = [day.isoformat() for day in days]
    blank = [f" {text}\t" if at % 3 == 0 else text for at, text in enumerate(plain)]
    for texts in (plain, blank):
        frame = pl.DataFrame({"day": pl.Series([*texts, None], dtype=pl.String)})
        assert frame.select(parsed(pl.col("day"), "date", "%Y-%m-%d")).to_series().to_list() == [*days, None]
