"""What the treatment cost: per column, how much variety and which averages survived. Measured on a sample of patients.

The sample is drawn by rank of pseudonym, which is random with respect to everything in the data. Information kept is
what the published column still tells of the source column (`told.py`), over all of the sample's rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import polars as pl

from deid.learning import finished
from deid.prepare import RAW, Prepared, collect
from deid.recipe import ColumnRule
from deid.risk.told import told
from deid.suppress import Decision
from deid.transform.columns import INDEX, select_published, typed
from deid.treatments.free_text import FreeText
from deid.write import without_small_classes

SAMPLE_ROWS = 50_000
KEPT = " kept"


@dataclass(frozen=True)
class ColumnUtility:
    """One published column, over the rows of a sample.

    `entropy_before` and `entropy_after` are the bits of the source's values and what is told of them; `kept` is their
    share, 0 to 1. Means only of numbers; `changed` (share of values) only of free text.
    """

    column: str
    filled: float
    entropy_before: float
    entropy_after: float
    kept: float
    mean_before: float | None
    mean_after: float | None
    changed: float | None


def sample_of(table: Prepared) -> pl.DataFrame:
    """Take about `SAMPLE_ROWS` rows, all of every n-th patient: `INDEX`, columns as published, `RAW…` source values."""
    return pl.concat(table.each(partial(_sampled, _compared(table), step_of(table))))


def step_of(table: Prepared) -> int:
    """Tell which patients are in the sample: every how many."""
    return max(1, -(-table.source.rows // SAMPLE_ROWS))


def _compared(table: Prepared) -> list[ColumnRule]:
    return [rule for rule in table.rule.published if not rule.treatment.keyed]


def utility_of(
    before: pl.DataFrame, table: Prepared, decision: Decision, allowed: pl.DataFrame | None
) -> list[ColumnUtility]:
    """Compare source and published columns on a sample (`sample_of`)."""
    rules = _compared(table)
    excluded = pl.Series(decision.excluded).gather(before[INDEX])
    after = without_small_classes(before.filter(~excluded).lazy(), table.rule, allowed).collect()
    return [_column(before, after, rule) for rule in rules]


def _sampled(rules: list[ColumnRule], step: int, table: Prepared) -> pl.DataFrame:
    """Source and published values of every `step`-th patient of a table or part."""
    people = table.people.filter(pl.col(INDEX) % step == 0)
    raw = [_raw(rule.source, rule.treatment).alias(RAW + rule.name) for rule in rules]
    frame = select_published(table.frame(people), rules, table.rule, pl.col(INDEX), *raw)
    frame = finished(frame, table.finishes, rules)
    return collect(table.source, frame if table.recoding is None else table.recoding.applied(frame))


def _raw(source: str, treatment: object) -> pl.Expr:
    return pl.col(source) if isinstance(treatment, FreeText) else typed(source, treatment)  # type: ignore[arg-type]


def _column(before: pl.DataFrame, after: pl.DataFrame, rule: ColumnRule) -> ColumnUtility:
    name, treatment = rule.name, rule.treatment
    source, result, stayed = before[RAW + name], after[name], after[RAW + name]
    bits = told(source, result, stayed, moved=treatment.seeded or treatment.shift_days > 0)
    numbers = source.dtype.is_numeric() and result.dtype.is_numeric()
    changed = _mean((result != stayed).cast(pl.Float64)) if isinstance(treatment, FreeText) else None
    return ColumnUtility(
        column=name,
        filled=round(1 - result.null_count() / result.len(), 6) if result.len() else 0.0,
        entropy_before=round(bits.before, 4),
        entropy_after=round(bits.after, 4),
        kept=round(bits.kept, 4),
        mean_before=_mean(source) if numbers else None,
        mean_after=_mean(result) if numbers else None,
        changed=changed,
    )


def _mean(values: pl.Series) -> float | None:
    numbers = values.drop_nulls()
    # An infinite number in the source is the source's; it must not make the report unreadable.
    if not numbers.len() or not numbers.cast(pl.Float64).is_finite().all():
        return None
    return float(f"{math.fsum(numbers.to_list()) / numbers.len():.6g}")
