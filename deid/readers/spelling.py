"""Typed values as text, one spelling for all formats, so that the same table gives the same snapshot.

Whole numbers have no point, other numbers the shortest decimal that reads back the same (float32 as float32), truth
values are `true` and `false`, dates ISO 8601 or in the column's own `format` where the recipe reads a date, times of
day and time stamps ISO 8601. NaN is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl

from deid.days import each_day_once
from deid.recipe import TableRule
from deid.treatments.bands import AgeBand

ISO_DATE = "%Y-%m-%d"
STAMP, CLOCK = "%Y-%m-%dT%H:%M:%S%.f", "%H:%M:%S%.f"
LONGEST_DECIMAL = 400
EXACT = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
Formats = dict[str, str]


class UnspellableError(Exception):
    """A value of a kind that a table of text cannot hold; `kind` names the type, never the value."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class ZonedError(UnspellableError):
    """A date was asked of a time stamp with a time zone: which day it is depends on the place."""


def date_formats(rule: TableRule) -> Formats:
    """Map the source columns that the recipe reads as dates to their format (strftime)."""
    formats = {}
    for column in rule.columns:
        treatment = column.treatment
        if isinstance(treatment, AgeBand):
            formats.update(dict.fromkeys(treatment.needs, treatment.format))
    formats.update({c.source: c.treatment.format for c in rule.columns if c.treatment.type == "date"})
    return formats


def read_as(rule: TableRule, name: str, dtype: pl.DataType) -> pl.Expr | None:
    """Give a column of days or whole numbers as it is, where all that the recipe does with it reads it so; else None.

    Spelled and parsed again they would be the same. Where notes are masked, what may stand in them is wanted as text.
    """
    if name in {rule.subject, *rule.unique} or rule.texts or rule.texts_elsewhere:
        return None
    kinds = {(c.treatment.type, c.treatment.joined) for c in rule.columns if c.source == name}
    needing = [c.treatment for c in rule.columns if name in c.treatment.needs]
    kinds |= {("date" if isinstance(treatment, AgeBand) else "text", treatment.joined) for treatment in needing}
    if dtype == pl.Date and kinds == {("date", False)} and date_formats(rule)[name] == ISO_DATE:
        return _but(rule, pl.col(name), pl.Date)
    if dtype in EXACT and kinds == {("integer", False)}:
        return _but(rule, pl.col(name).cast(pl.Int64), pl.Int64)
    return None


def _but(rule: TableRule, value: pl.Expr, dtype: type[pl.DataType]) -> pl.Expr:
    """Leave out the values whose spelling the recipe names in `nulls`."""
    named = pl.Series(sorted(rule.nulls), dtype=pl.String)
    values = named.str.to_date(ISO_DATE, strict=False) if dtype == pl.Date else named.cast(dtype, strict=False)
    # "007" is a spelling of no number.
    spelled = values.dt.strftime(ISO_DATE) if dtype == pl.Date else values.cast(pl.String)
    missing = values.filter(spelled == named)
    return pl.when(~value.is_in(missing.implode())).then(value) if missing.len() else value


def as_text(name: str, dtype: pl.DataType, formats: Formats, zone: str = "") -> pl.Expr:
    """Spell a typed Polars column; `zone` says where days are counted. Raises `UnspellableError` or `ZonedError`."""
    column = pl.col(name)
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        # Dictionary-encoded types are decoded here: nothing after this point sees a dictionary of the source.
        return column.cast(pl.String)
    if dtype.is_integer() or dtype == pl.Boolean:
        return column.cast(pl.String)
    if dtype.is_float():
        return column.fill_nan(None).cast(pl.String).str.strip_suffix(".0").alias(name)
    if dtype.is_decimal():
        # Declared places say nothing about the value: 5.00 is 5.
        return column.cast(pl.String).str.replace(r"(\.\d*?)0+$", "$1").str.strip_suffix(".").alias(name)
    if dtype.is_temporal() and not isinstance(dtype, pl.Duration):
        return _moment(column, dtype, formats.get(name), zone).alias(name)
    raise UnspellableError(str(dtype.base_type()))


def _moment(column: pl.Expr, dtype: pl.DataType, form: str | None, zone: str) -> pl.Expr:
    if isinstance(dtype, pl.Time):
        return column.dt.strftime(CLOCK)
    if isinstance(dtype, pl.Date):
        spelled = partial(each_day_once, lambda days: days.dt.strftime(form or ISO_DATE))
        return column.map_batches(spelled, return_dtype=pl.String, is_elementwise=True)
    if form is None:
        zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        return column.dt.strftime(STAMP + ("%:z" if zoned else ""))
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        if not zone:
            raise ZonedError(str(dtype))
        column = column.dt.convert_time_zone(zone)
    return column.dt.strftime(form)


def spell(value: object, form: str | None = None, zone: str = "") -> str | None:
    """Spell one Python value as `as_text` does; `form` is the column's date format if it has one.

    `zone` says where days are counted. Raises `UnspellableError` or `ZonedError`.
    """
    if isinstance(value, datetime) and value.tzinfo is not None and form is not None and zone:
        value = value.astimezone(ZoneInfo(zone)).date()
    if value is None or isinstance(value, str):
        return value
    speller = next((speller for kind, speller in SPELLERS if isinstance(value, kind)), None)
    if speller is None:
        raise UnspellableError(type(value).__name__)
    return speller(value, form)


def _number(value: float, _: str | None) -> str | None:
    if value != value:  # noqa: PLR0124 - NaN
        return None
    text = repr(value)
    # Very large and very small numbers: the two libraries change to exponents at different places.
    text = str(pl.Series([value]).cast(pl.String).item()) if "e" in text else text
    return text.removesuffix(".0")


def _decimal(value: Decimal, _: str | None) -> str | None:
    if value.is_nan():
        return None
    if abs(value.adjusted()) > LONGEST_DECIMAL:
        return str(value)  # written out it could fill the memory
    text = f"{value:f}"
    return text.rstrip("0").removesuffix(".") if "." in text else text


def _stamp(value: datetime, form: str | None) -> str:
    if form is not None:
        if value.tzinfo is not None:
            raise ZonedError("timestamp with time zone")
        return _dated(value.date(), form)
    return _clock(value)


def _clock(value: datetime | time) -> str:
    # As many places as Polars writes: none, three or six.
    whole = "milliseconds" if value.microsecond else "seconds"
    return value.isoformat(timespec="microseconds" if value.microsecond % 1000 else whole)


def day_of(moment: str, form: str, zone: str) -> str:
    """Spell the day of an ISO 8601 date or time stamp in `form`; anything else is given back as it is.

    A time stamp with an offset has its day as written there, unless `zone` is given; UTC alone says nothing about the
    place. Raises `ZonedError`.
    """
    try:
        if "T" not in moment:
            return _dated(date.fromisoformat(moment), form)
        stamp = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if stamp.tzinfo is not None:
        if zone:
            stamp = stamp.astimezone(ZoneInfo(zone))
        elif not stamp.utcoffset():
            raise ZonedError("UTC")
    return _dated(stamp.date(), form)


def _dated(value: date, form: str | None) -> str:
    # Polars spells it, as for columns: the formats of the two libraries differ in places.
    return value.isoformat() if form in {None, ISO_DATE} else str(pl.Series([value]).dt.strftime(str(form)).item())


def _refuse_span(value: timedelta, _: str | None) -> str:
    raise UnspellableError(type(value).__name__)


Speller = Callable[[Any, "str | None"], "str | None"]
# In this order: a truth value is an integer to Python, a time stamp is a date.
SPELLERS: tuple[tuple[type, Speller], ...] = (
    (bool, lambda value, _: str(value).lower()),
    (int, lambda value, _: str(value)),
    (float, _number),
    (Decimal, _decimal),
    (datetime, _stamp),
    (date, _dated),
    (time, lambda value, _: _clock(value)),
    (UUID, lambda value, _: str(value)),
    (timedelta, _refuse_span),
)
