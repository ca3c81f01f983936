"""The published columns of a table: texts masked; of a table in memory every column computed, once.

Texts that stand under a number in the source are treated once each: a million rows hold a few hundred regions. What
needs the row itself (days, numbers, a patient's shift) is computed row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from deid.free_text import MASKED, PATIENT, PSEUDONYM, TEXT, FreeTexts
from deid.held import Column, Held
from deid.learning import finished
from deid.many.codes import Numbered
from deid.prepare import RAW, SUBJECT, Prepared, collect, raw_value
from deid.recipe import ColumnRule
from deid.suppress import Flags
from deid.transform.columns import INDEX, joined, select_published
from deid.treatments.bands import Band
from deid.treatments.free_text import FreeText
from deid.treatments.plain import Keep


def completed(table: Prepared, texts: FreeTexts, excluded: Flags | None = None) -> Prepared:
    """Add masked texts; compute a small table's published columns once. Raises `SourceError`.

    `excluded`, by patient, are those whose texts no reviewer needs to see.
    """
    table = replace(table, lookups={**table.lookups, **_texts(table, texts, excluded)})
    if table.source.loaded is None:
        return table
    return replace(table, computed=_computed(table, table.source.loaded))


def _texts(table: Prepared, texts: FreeTexts, excluded: Flags | None) -> dict[str, tuple[ColumnRule, pl.DataFrame]]:
    """Replace the distinct values of every free-text column: columns `SUBJECT`, `RAW`."""
    found = {}
    people = table.people if excluded is None else table.people.filter(~pl.Series(excluded))
    who = people.rename({SUBJECT: PATIENT, RAW: PSEUDONYM}).drop(INDEX)
    for rule in table.rule.published:
        if isinstance(rule.treatment, FreeText):
            replaced = texts.replaced(table.source, rule, who)
            found[rule.source] = (rule, replaced.rename({TEXT: SUBJECT, MASKED: RAW}))
    return found


def _computed(table: Prepared, loaded: Held) -> Held:
    """Compute what `Prepared.published` gives."""
    if table.index is None or table.recoding is not None or table.has_texts:
        # Ranges by combination and texts are joined by values of several columns.
        return Held.of(collect(table.source, table.published()))
    columns: dict[str, Column] = {INDEX: table.index}
    rows = []
    for rule in table.rule.published:
        column = None if rule.name in table.finishes else _by_value(table, loaded, rule)
        rows += [rule] if column is None else []
        columns |= {} if column is None else {rule.name: column}
    raw = [rule for rule in table.generalised if not isinstance(loaded.columns[rule.source], Numbered)]
    columns |= {RAW + rule.name: loaded.columns[rule.source] for rule in table.generalised}
    return Held({**columns, **dict(_by_row(table, rows, raw))}, loaded.height)


def _by_value(table: Prepared, loaded: Held, rule: ColumnRule) -> Column | None:
    """Treat each of a column's values once; None where a value alone does not say what is published."""
    treatment, column = rule.treatment, loaded.columns[rule.source]
    if treatment.joined and rule.source == table.rule.subject and table.index is not None:
        return Numbered(table.index, table.people[RAW])
    if treatment.joined:
        return table.aligned[joined(rule)]
    if isinstance(treatment, Keep) and treatment.type == "text":
        return column
    if not isinstance(column, Numbered) or treatment.type != "text" or treatment.seeded:
        return None
    values = column.values.alias(rule.source).to_frame().lazy().select(treatment.expression(pl.col(rule.source)))
    return Numbered(column.codes, collect(table.source, values).to_series())


def _by_row(table: Prepared, rules: Sequence[ColumnRule], raw: Sequence[ColumnRule]) -> Iterator[tuple[str, Column]]:
    """Compute columns row by row, and the source values `raw`; bands get numbers and each is spelled once."""
    bands = {
        rule.name: rule.treatment
        for rule in rules
        if isinstance(rule.treatment, Band) and rule.name not in table.finishes
    }
    needed = dict.fromkeys(name for rule in (*rules, *raw) for name in (rule.source, *rule.treatment.needs))
    needed |= dict.fromkeys(joined(rule) for rule in rules if joined(rule) in table.aligned)
    others = [pl.col(INDEX), *map(raw_value, raw)]
    frame = table.frame(table.people, needed)
    frame = finished(select_published(frame, rules, table.rule, *others, lows=bands), table.finishes, rules)
    for column in collect(table.source, frame.drop(INDEX)):
        band = bands.get(column.name)
        yield column.name, column if band is None else band.numbered(column)
