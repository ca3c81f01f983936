"""From a treatment to a Polars expression over one source column, read as text. Lazy: nothing is computed here.

Values that do not parse make the query fail; `locate.py` then finds the line. Dictionary-encoded types
(Categorical, Enum) are never made: a filtered dictionary still carries the values that were removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from deid.recipe import ColumnRule, QuasiIdentifier, TableRule
from deid.treatment import (
    TYPES,
    AgeBand,
    Band,
    Clip,
    DatePart,
    DateShift,
    FreeText,
    Keep,
    MapValues,
    Prefix,
    Pseudonym,
    Round,
    Treatment,
    is_date,
)

# Columns the engine joins in; the blank keeps them apart from any published name.
INDEX, SHIFT = " index", " shift"
SHORTEST_OWN_VALUE = 2


def typed(source: str, treatment: Treatment, *, strict: bool = True) -> pl.Expr:
    """Parse the source text to its type; blanks around numbers and dates are allowed.

    Anything else makes the query fail, or becomes null when not `strict`. NaN is a missing number.
    """
    text = pl.col(source)
    if treatment.type == "text":
        return text
    text = text.str.strip_chars()
    if treatment.type == "date":
        return text.str.to_date(treatment.format, strict=strict)
    if treatment.type == "integer":
        return text.cast(pl.Int64, strict=strict)
    return text.cast(pl.Float64, strict=strict).fill_nan(None)


def select_published(
    frame: pl.LazyFrame, rules: Sequence[ColumnRule], table: TableRule, *others: pl.Expr
) -> pl.LazyFrame:
    """Compute the published columns of `rules`, named as published, beside `others` (expressions over `frame`).

    Pseudonyms and masked texts must be joined beforehand (see `joined`). Values that are used more than once are
    computed in steps: the streaming engine would parse a date again for each mention.
    """
    bands = [rule for rule in rules if isinstance(rule.treatment, Band)]
    ages = [rule for rule in bands if isinstance(rule.treatment, AgeBand)]
    parsed = [typed(rule.source, rule.treatment).alias(_step(1, rule)) for rule in rules]
    frame = frame.with_columns(*parsed, *(_reference_day(rule).alias(_step(2, rule)) for rule in ages))
    frame = frame.with_columns(_whole_number(rule).alias(_step(3, rule)) for rule in bands)
    frame = frame.with_columns(_low(rule).alias(_step(4, rule)) for rule in bands)
    return frame.select(*others, *(_published(rule, table).alias(rule.name) for rule in rules))


def _step(number: int, rule: ColumnRule) -> str:
    return f" {number} {rule.name}"


def _published(rule: ColumnRule, table: TableRule) -> pl.Expr:
    treatment = rule.treatment
    if isinstance(treatment, FreeText):
        return without_own_values(pl.col(joined(rule)), table)
    if isinstance(treatment, Pseudonym):
        return pl.col(joined(rule))
    if isinstance(treatment, Band):
        return _band(pl.col(_step(3, rule)), pl.col(_step(4, rule)), treatment)
    return _value(pl.col(_step(1, rule)), treatment)


def without_own_values(text: pl.Expr, table: TableRule) -> pl.Expr:
    """Replace what the row's other columns say about the person: no recogniser knows every name, but the table does."""
    for rule in table.identifying:
        placeholder = "<등록번호>" if isinstance(rule.treatment, Pseudonym) else f"<{rule.label.ko}>"
        # Polars cannot replace by a pattern that differs from row to row; splitting and joining does the same.
        replaced = text.str.split(pl.col(rule.source)).list.join(placeholder)
        text = pl.when(contains_own(text, rule.source)).then(replaced).otherwise(text)
    return text


def contains_own(text: pl.Expr, column: str) -> pl.Expr:
    """Whether a text contains the row's own value of a column; a single character is no identifier."""
    value = pl.col(column)
    long_enough = value.str.len_chars() >= SHORTEST_OWN_VALUE
    return (long_enough & text.str.contains(value, literal=True)).fill_null(value=False)


def joined(rule: ColumnRule) -> str:
    """Name the column under which a pseudonym or masked text is joined."""
    return f" {rule.name}"


def class_key(entry: QuasiIdentifier) -> pl.Expr:
    """Compute what counts for k from a published column, named `entry.key`."""
    column = pl.col(entry.column)
    if entry.by == "year":
        column = column.dt.year()
    elif entry.by == "month":
        column = column.dt.strftime("%Y-%m")
    return column.alias(entry.key)


def _value(value: pl.Expr, treatment: Treatment) -> pl.Expr:
    match treatment:
        case Keep():
            return value
        case DateShift() | DatePart():
            return _date(value, treatment)
        case Clip() | Round():
            return _number(value, treatment)
        case _:
            return _text(value, treatment)


def _date(value: pl.Expr, treatment: DateShift | DatePart) -> pl.Expr:
    if isinstance(treatment, DateShift):
        return value + pl.duration(days=pl.col(SHIFT))
    return value.dt.year().cast(pl.Int64) if treatment.part == "year" else value.dt.strftime("%Y-%m")


def _number(value: pl.Expr, treatment: Clip | Round) -> pl.Expr:
    dtype = pl.Int64 if TYPES[treatment.type] == "Int64" else pl.Float64
    if isinstance(treatment, Clip):
        return value.clip(treatment.bottom, treatment.top).cast(dtype)
    return ((value / treatment.to).round() * treatment.to).cast(dtype)


def _text(value: pl.Expr, treatment: Treatment) -> pl.Expr:
    match treatment:
        case Prefix(length=length):
            return value.str.slice(0, length)
        case MapValues(mapping=mapping, other=other):
            return _mapped(value, dict(mapping), other)
        case _:
            raise NotImplementedError(type(treatment).__name__)


def _mapped(value: pl.Expr, mapping: dict[str, str], other: str | None) -> pl.Expr:
    if other is None:
        # Without `other` an unforeseen value must stop the run, not slip through or vanish; an empty field stays empty.
        return pl.when(value.is_not_null()).then(value.replace_strict({**mapping, None: None}, return_dtype=pl.String))
    return pl.when(value.is_not_null()).then(value.replace_strict(mapping, default=other, return_dtype=pl.String))


def _whole_number(rule: ColumnRule) -> pl.Expr:
    """Return the number that is put into a band: completed years of age, or the value without its fraction."""
    value = pl.col(_step(1, rule))
    if isinstance(rule.treatment, AgeBand):
        return _age(value, pl.col(_step(2, rule)))
    return value.floor().cast(pl.Int64) if rule.treatment.type == "number" else value


def _low(rule: ColumnRule) -> pl.Expr:
    width = rule.treatment.width if isinstance(rule.treatment, Band) else 1
    return (pl.col(_step(3, rule)) // width).cast(pl.Int64) * width


def _reference_day(rule: ColumnRule) -> pl.Expr:
    treatment = rule.treatment
    at = treatment.at if isinstance(treatment, AgeBand) else ""
    if is_date(at):
        return pl.lit(date.fromisoformat(at))
    return pl.col(at).str.strip_chars().str.to_date(treatment.format, strict=True)


def _age(birth: pl.Expr, at: pl.Expr) -> pl.Expr:
    """Completed years of age: one less before the birthday."""

    def day_of_year(day: pl.Expr) -> pl.Expr:
        return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()

    before_birthday = day_of_year(at) < day_of_year(birth)
    return at.dt.year().cast(pl.Int32) - birth.dt.year().cast(pl.Int32) - before_birthday.cast(pl.Int32)


def _band(value: pl.Expr, low: pl.Expr, treatment: Band) -> pl.Expr:
    label = low.cast(pl.String)
    if treatment.width > 1:
        label = pl.concat_str(low, pl.lit("-"), low + treatment.width - 1)
    if treatment.top is not None:
        label = pl.when(value >= treatment.top).then(pl.lit(f"{treatment.top}+")).otherwise(label)
    if treatment.bottom is not None:
        label = pl.when(value < treatment.bottom).then(pl.lit(f"<{treatment.bottom}")).otherwise(label)
    return label
