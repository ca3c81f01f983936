"""Statistics of columns, before their values are final: rare values, groups, percentiles, all over distinct patients.

Columns that count for k are learned from everybody, as the classes depend on them; all others from the rows that stay,
so that what holds of the statistics (at least so many patients) holds of what is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from deid.errors import SourceError
from deid.readers.source import Source
from deid.recipe import ColumnRule, TableRule
from deid.transform.columns import INDEX
from deid.treatments.learned import PATIENT, VALUE, Finish, Learner, TooFewPatients
from deid.treatments.rare import Rare

Finishes = Mapping[str, Finish]


def learning_rules(table: TableRule, *, quasi: bool) -> list[ColumnRule]:
    """Return the rules whose values need statistics, of the quasi-identifiers or of the other columns."""
    names = {entry.column for entry in table.quasi_identifiers}
    return [rule for rule in table.published if rule.treatment.learner and (rule.name in names) == quasi]


def learn(source: Source, frame: pl.LazyFrame, rules: Sequence[ColumnRule], k: int) -> dict[str, Finish]:
    """Learn from all rows of `frame` (`INDEX` and published columns) what finishes the columns of `rules`, by name.

    Streamed, one pass for all. Raises `SourceError` where a column has values of too few patients.
    """
    learners = [(rule, rule.treatment.learner) for rule in rules]
    queries = [_summary(frame, rule, learner, k) for rule, learner in learners if learner]
    summaries = pl.collect_all(queries, engine="streaming" if source.loaded is None else "in-memory")
    found = {}
    for (rule, learner), summary in zip(learners, summaries, strict=True):
        try:
            found[rule.name] = learner.learn(summary, k) if learner else None
        except TooFewPatients as few:
            raise _too_few(source, rule, few) from None
    return {name: finish for name, finish in found.items() if finish}


def finished(frame: pl.LazyFrame, finishes: Finishes, rules: Sequence[ColumnRule]) -> pl.LazyFrame:
    """Make the values of those columns of `rules` final that were learned."""
    names = [rule.name for rule in rules if rule.name in finishes]
    if not names:
        return frame
    return frame.with_columns(finishes[name].expression(pl.col(name)).alias(name) for name in names)


def check_learned(table: TableRule, k: int) -> None:
    """Raise `RecipeError` where a quasi-identifier asks for more patients to a value than its class has."""
    for rule in learning_rules(table, quasi=True):
        learner = rule.treatment.learner
        if isinstance(learner, Rare) and (learner.min_patients or k) > k:
            rule.node.fail(
                "rare",
                f"준식별자의 min_patients는 k({k})보다 클 수 없습니다.",
                f"min_patients of a quasi-identifier cannot be above k ({k}).",
                remedy=(
                    "k를 올리거나 min_patients를 내리세요: 행이 빠진 뒤 남는 환자는 k명까지만 보장됩니다.",
                    "Raise k or lower min_patients: after rows were removed no more than k patients are certain.",
                ),
            )


def _summary(frame: pl.LazyFrame, rule: ColumnRule, learner: Learner, k: int) -> pl.LazyFrame:
    column = frame.select(pl.col(INDEX).alias(PATIENT), pl.col(rule.name).alias(VALUE))
    return learner.summary(column.drop_nulls(VALUE), k)


def _too_few(source: Source, rule: ColumnRule, few: TooFewPatients) -> SourceError:
    return SourceError(
        (source.place, 0, -1),
        "few-patients",
        (
            f"열 {rule.source}에 값이 있는 환자가 {few.found:,}명뿐이고 {few.needed:,}명이 필요합니다.",
            f"column {rule.source} has values of {few.found:,} patients; {few.needed:,} are needed.",
        ),
        remedy=(
            "이 열을 drop이나 generalise로 처리하거나 환자가 더 많은 자료로 실행하세요.",
            "Treat the column as drop or generalise, or run with more patients.",
        ),
    )
