"""Finding the line of a bad value, after a query has failed. Slow and careful: it runs once, on the way to an error."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from deid.readers.source import Source
from deid.recipe import ColumnRule
from deid.transform.columns import typed
from deid.treatments.bands import AgeBand
from deid.treatments.plain import Keep
from deid.treatments.treatment import is_date
from deid.treatments.values import MapValues

RECORD = " record"


def locate(source: Source, bad: pl.Expr) -> int:
    """Return the line (from 1) of the first record for which `bad` holds, 0 if there is none."""
    rows = source.scan().with_row_index(RECORD).filter(bad).select(pl.col(RECORD).min()).collect(engine="streaming")
    record = rows.item()
    return 0 if record is None else source.line_of(int(record))


def bad_values(rule: ColumnRule, columns: pl.Schema) -> Iterator[tuple[str, str, pl.Expr]]:
    """Give (column, kind, condition) for everything in a rule that can fail on a value, of `columns` as scanned."""
    treatment = rule.treatment
    # What was read in the type as which the recipe reads it does not fail.
    if treatment.type != "text" and columns[rule.source] == pl.String:
        parsed = typed(rule.source, treatment, strict=False)
        # Text that says NaN parses, to null: it is a missing number, not a bad one.
        missing = pl.col(rule.source).str.strip_chars().str.to_lowercase().is_in(["nan", "+nan", "-nan"])
        yield rule.source, treatment.type, pl.col(rule.source).is_not_null() & parsed.is_null() & ~missing
    if isinstance(treatment, AgeBand) and not is_date(treatment.at) and columns[treatment.at] == pl.String:
        other = Keep(type="date", format=treatment.format)
        parsed = typed(treatment.at, other, strict=False)
        yield treatment.at, "date", pl.col(treatment.at).is_not_null() & parsed.is_null()
    if isinstance(treatment, MapValues) and treatment.other is None:
        known = pl.col(rule.source).is_in(list(treatment.mapping))
        yield rule.source, "map", pl.col(rule.source).is_not_null() & ~known
