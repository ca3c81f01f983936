"""A table is taken a few rows at a time, and all of it, whatever it was delivered as."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, timedelta

import polars as pl
import pytest

from deid.many.pour import pour
from deid.readers.connection import Databases
from deid.readers.open import open_source, text_size
from deid.readers.source import Reading
from tests.deid.factory import HEAD, Hospital, gates

RECIPE = (
    HEAD
    + gates(k=1)
    + """\
tables:
  visits:
    file: FILE
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient}
      day: {treatment: date_shift, max_days: 30}
"""
)


@pytest.mark.parametrize("file", ["visits.csv", "visits.parquet"])
def test_rows_come_a_few_at_a_time_and_none_is_missing(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr("deid.readers.csv_file.STRETCH_BYTES", 17 * 300)
    days = [date(2020, 1, 1) + timedelta(at % 500) for at in range(1000)]
    rows = pl.DataFrame({"no": [f"{at:05d}" for at in range(1000)], "day": days})
    if file.endswith("csv"):
        rows.write_csv(clinic.source / file)
    else:
        rows.write_parquet(clinic.source / file)
    recipe = clinic.recipe(RECIPE.replace("FILE", file))
    taken: list[pl.DataFrame] = []
    with ExitStack() as stack:
        databases = stack.enter_context(Databases())
        how = Reading(spool=clinic.source, in_memory=False, advance=lambda _: None, databases=databases)
        source = stack.enter_context(open_source(recipe.tables[0], clinic.source, recipe.limits, how))
        pour(source, 300, taken.append)
        assert text_size(source) == source.size * (8 if file.endswith("parquet") else 1)
    # A day of a Parquet file stays a day (`spelling.read_as`).
    day = pl.col("day").cast(pl.String)
    assert pl.concat(taken).with_columns(day).sort("no").rows() == rows.with_columns(day).rows()
    # A line of this CSV file is 17 bytes.
    assert [frame.height for frame in taken] == [300, 300, 300, 100]
