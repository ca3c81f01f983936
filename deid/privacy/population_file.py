"""A table of the population (census, registry) beside the recipe: how many people there are in each class.

CSV in UTF-8. A quasi-identifier stands in it under its published name, with published labels, or under its source
name, with source values that are treated as the table's own. Without a column of counts every line is one person.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from deid.errors import SourceError
from deid.privacy.asked import Population
from deid.privacy.coded import PEOPLE
from deid.recipe import ColumnRule, TableRule
from deid.transform.columns import class_key, joined, select_published
from deid.treatments.levels import Level

REMEDY = (
    "인구 표에 준식별자 열을 공개 이름이나 원본 이름으로 넣고 값을 확인하세요.",
    "Give the population table every quasi-identifier under its published or source name, and check its values.",
)


def read_population(asked: Population, table: TableRule) -> pl.DataFrame:
    """Return the table's class keys with `PEOPLE`, one row per line. Raises `SourceError`."""
    name = asked.path.name
    try:
        frame = pl.read_csv(asked.path, infer_schema=False, encoding="utf8")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _refused(name, ("인구 표를 읽을 수 없습니다.", "the population table cannot be read.")) from error
    people = pl.lit(1.0) if asked.count is None else pl.col(asked.count).cast(pl.Float64)
    try:
        keyed = _keyed(frame, table, people)
    except (pl.exceptions.PolarsError, ValueError):
        # Polars quotes the value, which is the population's, not a patient's; the name of the file is enough.
        raise _refused(name, ("값이 계획과 맞지 않습니다.", "values do not fit the recipe.")) from None
    if keyed[PEOPLE].null_count() or (keyed[PEOPLE] < 0).any():
        raise _refused(name, ("사람 수가 비었거나 음수입니다.", "a count of people is empty or negative."))
    return keyed


def sha256_of(path: Path) -> str:
    """SHA-256 of the population table, for the report."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _keyed(frame: pl.DataFrame, table: TableRule, people: pl.Expr) -> pl.DataFrame:
    quasi = {entry.column for entry in table.quasi_identifiers}
    rules = [rule for rule in table.published if rule.name in quasi]
    treated = [rule for rule in rules if rule.source in frame.columns]
    labelled = [rule for rule in rules if rule not in treated]
    frame = frame.with_columns(_labels(frame, rule) for rule in treated if isinstance(rule.treatment, Level))
    kept = [_as_published(rule) for rule in labelled]
    published = select_published(frame.lazy(), treated, table, people.alias(PEOPLE), *kept)
    keys = [class_key(entry) for entry in table.quasi_identifiers]
    return published.select(*keys, PEOPLE).collect()


def _labels(frame: pl.DataFrame, rule: ColumnRule) -> pl.Series:
    treatment = rule.treatment
    if not isinstance(treatment, Level):
        raise TypeError(rule.name)
    labels = treatment.hierarchy.generalise(frame[rule.source], treatment.level)
    if treatment.other is not None:
        labels = labels.fill_null(treatment.other)
    if (labels.is_null() & frame[rule.source].is_not_null()).any():
        raise ValueError(rule.name)
    return labels.alias(joined(rule))


def _as_published(rule: ColumnRule) -> pl.Expr:
    column = pl.col(rule.name)
    return column.str.to_date() if rule.treatment.dtype == "Date" else column.cast(getattr(pl, rule.treatment.dtype))


def _refused(name: str, message: tuple[str, str]) -> SourceError:
    return SourceError((name, 0, -1), "population", message, remedy=REMEDY)
