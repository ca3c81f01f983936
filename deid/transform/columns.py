"""From a treatment to a Polars expression over one source column, read as text. Lazy: nothing is computed here.

Values that do not parse make the query fail; `locate.py` then finds the line. Dictionary-encoded types
(Categorical, Enum) are never made: a filtered dictionary still carries the values that were removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from deid.recipe import ColumnRule, QuasiIdentifier, TableRule
from deid.treatments.bands import AgeBand, Band
from deid.treatments.free_text import FreeText
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.treatment import Treatment, parsed

# Joined in by the engine; the blank keeps it apart from any published name.
INDEX = " index"
SHORTEST_OWN_VALUE = 2


def typed(source: str, treatment: Treatment, *, strict: bool = True) -> pl.Expr:
    """Parse the source text to its type; blanks around numbers and dates are allowed.

    Anything else makes the query fail, or becomes null when not `strict`. NaN is a missing number.
    """
    text = pl.col(source)
    if treatment.type == "text":
        return text
    value = parsed(text, treatment.type, treatment.format, strict=strict)
    return value.fill_nan(None) if treatment.type == "number" else value


def select_published(
    frame: pl.LazyFrame,
    rules: Sequence[ColumnRule],
    table: TableRule,
    *others: pl.Expr,
    lows: Collection[str] = (),
) -> pl.LazyFrame:
    """Compute the published columns of `rules`, named as published, beside `others` (expressions over `frame`).

    Pseudonyms and masked texts must be joined beforehand (see `joined`). Values that are used more than once are
    computed in steps: the streaming engine would parse a date again for each mention. Bands named in `lows` are given
    by their lower ends.
    """
    bands = [(rule, rule.treatment) for rule in rules if isinstance(rule.treatment, Band)]
    values = [typed(rule.source, rule.treatment).alias(_step(1, rule)) for rule in rules]
    read = {(rule.source, rule.treatment.format): _step(1, rule) for rule in rules if rule.treatment.type == "date"}
    frame = frame.with_columns(values)
    ages = [(rule, band) for rule, band in bands if isinstance(band, AgeBand)]
    days = [(rule, read.get((band.at, band.format)), band) for rule, band in ages]
    frame = frame.with_columns(
        (pl.col(step) if step else band.reference()).alias(_step(2, rule)) for rule, step, band in days
    )
    frame = frame.with_columns(
        band.whole(pl.col(_step(1, rule)), pl.col(_step(2, rule))).alias(_step(3, rule)) for rule, band in bands
    )
    frame = frame.with_columns(band.low(pl.col(_step(3, rule))).alias(_step(4, rule)) for rule, band in bands)
    values = [pl.col(_step(4, rule)) if rule.name in lows else _published(rule, table) for rule in rules]
    return frame.select(*others, *(value.alias(rule.name) for value, rule in zip(values, rules, strict=True)))


def _step(number: int, rule: ColumnRule) -> str:
    return f" {number} {rule.name}"


def _published(rule: ColumnRule, table: TableRule) -> pl.Expr:
    treatment = rule.treatment
    if isinstance(treatment, FreeText):
        return without_own_values(pl.col(joined(rule)), table)
    if treatment.joined:
        return pl.col(joined(rule))
    if isinstance(treatment, Band):
        return treatment.label(pl.col(_step(4, rule)))
    return treatment.expression(pl.col(_step(1, rule)))


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
