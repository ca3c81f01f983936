"""Numbers and ages to bands (일반화): counted from 0, open at the ends where the recipe says so (상·하단 코딩)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from deid.days import each_day_once
from deid.many.codes import Numbered, numbered
from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields, is_date, parsed

# So many bands are spelled once each and looked up by position.
MOST_BANDS = 10_000


@dataclass(frozen=True)
class Band(Treatment):
    """Number to a band `width` wide counted from 0; `top` and above, and below `bottom`, are one band (일반화).

    Computed in steps (`select_published`), as each part is used more than once.
    """

    width: int
    top: int | None
    bottom: int | None

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "String"

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def whole(self, value: pl.Expr, _reference: pl.Expr) -> pl.Expr:
        """Compute the whole number that is put into a band: the value without its fraction."""
        return value.floor().cast(pl.Int64) if self.type == "number" else value

    def low(self, whole: pl.Expr) -> pl.Expr:
        """Compute the lower end of the band of a whole number."""
        return whole // self.width * self.width

    def label(self, low: pl.Expr) -> pl.Expr:
        """Name the band whose lower end is `low`; rows share few bands, so each is spelled once."""
        return low.map_batches(self._labels, return_dtype=pl.String, is_elementwise=True)

    def _labels(self, lows: pl.Series) -> pl.Series:
        found = self.numbered(lows)
        return found.values.gather(found.codes)

    def numbered(self, lows: pl.Series) -> Numbered:
        """Name the bands of all rows by their lower ends: a number for each row, each label once."""
        first, last = lows.min(), lows.max()
        if not isinstance(first, int) or not isinstance(last, int) or last - first > MOST_BANDS * self.width:
            return numbered(lows.to_frame("low").select(self._label(pl.col("low")))["low"])
        # The last label is that of a missing number; some labels may be those of no row.
        ends = pl.Series("low", [*range(first, last + 1, self.width), None], dtype=pl.Int64)
        known = lows.fill_null(ends[-2] + self.width) if lows.null_count() else lows
        codes = known.to_numpy() - first
        codes //= self.width
        return Numbered(pl.Series(codes.astype(np.uint32)), ends.to_frame().select(self._label(pl.col("low")))["low"])

    def _label(self, low: pl.Expr) -> pl.Expr:
        # `top` and `bottom` are multiples of the width (`parse_band`): the lower end tells on which side a number is.
        label = low.cast(pl.String)
        if self.width > 1:
            label = pl.concat_str(low, pl.lit("-"), low + self.width - 1)
        if self.top is not None:
            label = pl.when(low >= self.top).then(pl.lit(f"{self.top}+")).otherwise(label)
        if self.bottom is not None:
            label = pl.when(low < self.bottom).then(pl.lit(f"<{self.bottom}")).otherwise(label)
        return label.alias("low")

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(band {self.width}{_ends(self.bottom, self.top)})"


@dataclass(frozen=True)
class AgeBand(Band):
    """Date of birth to a band of completed years of age at `at`: a date, or another source column with dates."""

    at: str

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Treatment.needs`."""
        return () if is_date(self.at) else (self.at,)

    def reference(self) -> pl.Expr:
        """Give the day on which the age is taken."""
        if is_date(self.at):
            return pl.lit(date.fromisoformat(self.at))
        return parsed(pl.col(self.at), "date", self.format)

    def whole(self, value: pl.Expr, reference: pl.Expr) -> pl.Expr:
        """Compute completed years of age: one less before the birthday."""
        # 20100312 - 19500401 = 599911: the year before the birthday, and the same for dates before birth.
        return (_digits(reference) - _digits(value)) // 10_000

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(age at {self.at}, band {self.width}{_ends(self.bottom, self.top)})"


def parse_band(fields: Mapping[str, Node]) -> Band:
    """Read `generalise` with `band`. Raises `RecipeError`."""
    parts = fields["band"].fields(("width",), ("top", "bottom"))
    width = parts["width"].integer(1, 10**9)
    edges = {name: parts[name].integer(-(10**12), 10**12) if name in parts else None for name in ("top", "bottom")}
    for name, edge in edges.items():
        if edge is not None and edge % width:
            parts[name].fail("edge", f"{name}은(는) width의 배수여야 합니다.", f"{name} must be a multiple of width.")
    if "age_at" not in fields:
        common = common_fields(fields, default="integer", allowed=("integer", "number"))
        return Band(width, edges["top"], edges["bottom"], **common)
    common = common_fields(fields, default="date", allowed=("date",))
    return AgeBand(width, edges["top"], edges["bottom"], fields["age_at"].text(), **common)


def _digits(day: pl.Expr) -> pl.Expr:
    """Give a date as the number YYYYMMDD."""
    return day.map_batches(partial(each_day_once, _taken_apart), return_dtype=pl.Int32, is_elementwise=True)


def _taken_apart(days: pl.Series) -> pl.Series:
    day = days.dt
    return day.year().cast(pl.Int32) * 10_000 + day.month().cast(pl.Int32) * 100 + day.day().cast(pl.Int32)


def _ends(bottom: int | None, top: int | None) -> str:
    return ("" if bottom is None else f", bottom {bottom}") + ("" if top is None else f", top {top}")
