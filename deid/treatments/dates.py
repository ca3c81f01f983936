"""Dates: moved by the patient's own number of days (날짜 이동), or cut to year or month (일반화)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields

# The patient's shift in days, joined in by the engine; the blank keeps it apart from any published name.
SHIFT = " shift"


@dataclass(frozen=True)
class DateShift(Treatment):
    """Moved by the patient's own number of days, never 0, at most `max_days` either way (날짜 이동)."""

    max_days: int

    @property
    def shift_days(self) -> int:
        """See `Treatment.shift_days`."""
        return self.max_days

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`; the column `SHIFT` is beside the value."""
        # In days: Polars adds a duration in milliseconds, in four passes over eight bytes a row.
        return (value.to_physical() + pl.col(SHIFT)).cast(pl.Date)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"date_shift({self.max_days})"


@dataclass(frozen=True)
class DatePart(Treatment):
    """Date to its year or to year and month (일반화)."""

    part: str

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "Int64" if self.part == "year" else "String"

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return value.dt.year().cast(pl.Int64) if self.part == "year" else value.dt.strftime("%Y-%m")

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(date to {self.part})"


def parse_date_shift(_: Node, fields: Mapping[str, Node]) -> DateShift:
    """Read `date_shift`. Raises `RecipeError`."""
    days = fields["max_days"].integer(1, 36500)
    return DateShift(days, **common_fields(fields, default="date", allowed=("date",)))


def parse_date_part(fields: Mapping[str, Node]) -> DatePart:
    """Read `generalise` with `date`. Raises `RecipeError`."""
    part = fields["date"].one_of(("year", "month"))
    return DatePart(part, **common_fields(fields, default="date", allowed=("date",)))
