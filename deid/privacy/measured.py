"""What a table's treatment cost, over its quasi-identifiers: loss, wrong counts, and a model's accuracy on a task.

Everything is taken from the table's distinct source values and the labels they were published under, whatever the
treatment; rows that were removed have lost everything. What a label may stand for is what is published under it, and
for a range everything between its ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from deid.prepare import RAW, Prepared, gathered
from deid.privacy.coded import codes
from deid.recoding import FINE, LABEL, Recoding
from deid.risk.counting import Codes, Flags, grouped
from deid.risk.covering import Cover
from deid.risk.loss import loss_of
from deid.risk.query_error import query_error
from deid.risk.task import Features, task_of
from deid.suppress import ROWS
from deid.transform.columns import INDEX, class_key
from deid.treatments.levels import Level
from deid.treatments.treatment import Treatment

KEPT, CODE = " kept", " code"
# Queries are drawn from this seed: the same table gives the same figures.
SEED = 20_240_501


@dataclass(frozen=True)
class _Key:
    """One class key of every observation: codes of its source value and of its label, and how many there are of each.

    `pairs` are the labels (column 0) with the source values they may stand for (column 1).
    """

    source: Codes
    values: int
    label: Codes
    labels: int
    pairs: Codes
    level: tuple[int, int] | None

    def cover(self, first: Codes) -> Cover:
        """Describe the column of the observations `first`, one of each distinct tuple."""
        tuples = self.source[first], self.values, self.label[first], self.labels
        return Cover(*tuples, self.pairs[:, 0], self.pairs[:, 1], self.level)


def cost_of(table: Prepared, allowed: pl.DataFrame, k: int, task: str | None) -> dict[str, Any]:
    """Return the figures as plain values; `allowed` holds the class keys that stay. Empty without rows."""
    entries = table.rule.quasi_identifiers
    names = [entry.key for entry in entries]
    raw = [RAW + rule.name for rule in table.generalised]
    also = [task] if task else []

    recoding = table.recoding
    fine = [] if recoding is None else [FINE + name for name in names]

    def grouped_rows(part: Prepared) -> pl.LazyFrame:
        if recoding is None:
            frame = part.classified(also).with_columns(class_key(entry) for entry in entries)
        else:
            frame = _beside(replace(part, recoding=None, computed=None).classified(also), recoding)
        return frame.group_by(INDEX, *names, *raw, *also, *fine).agg(pl.len().alias(ROWS))

    counted = gathered(table, grouped_rows)
    stays = allowed.select(names).with_columns(pl.lit(value=True).alias(KEPT))
    counted = counted.join(stays, on=names, how="left", nulls_equal=True, maintain_order="left")
    if not counted.height:
        return {}
    levels = {rule.name: _level(rule.treatment) for rule in table.rule.published}
    keys = [_key(counted, name, levels.get(name), recoding) for name in names]
    kept = counted[KEPT].fill_null(value=False).to_numpy()
    figures = _figures(keys, kept, codes(counted[ROWS]), k) | {"task": None}
    if task:
        patient = codes(counted[INDEX])
        ranks = counted[task].rank("dense") - 1
        target = codes(ranks.fill_null(ranks.n_unique()))
        figures["task"] = asdict(task_of(task, _states(keys, kept), target, patient))
    return figures


def cost_of_sample(
    sample: pl.DataFrame, table: Prepared, excluded: Flags, allowed: pl.DataFrame | None, k: int
) -> dict[str, Any]:
    """Return loss and query error on a sample of patients, for a table without a `privacy` section.

    `sample` holds `INDEX`, columns as published and `RAW…` source values; `excluded` says which patients go, `allowed`
    which class keys stay (None: all). The mean class size (`aecs`) is that of whole tables only, else None.
    """
    names = [entry.key for entry in table.rule.quasi_identifiers]
    raw = [RAW + rule.name for rule in table.generalised]
    keys = [class_key(entry) for entry in table.rule.quasi_identifiers]
    frame = sample.with_columns(~pl.Series(KEPT, excluded).gather(sample[INDEX])).select(KEPT, *keys, *raw)
    if allowed is not None:
        stays = allowed.select(names).with_columns(pl.lit(value=True).alias(CODE))
        frame = frame.join(stays, on=names, how="left", nulls_equal=True)
        frame = frame.with_columns(pl.col(KEPT) & pl.col(CODE).fill_null(value=False))
    counted = frame.group_by(KEPT, *names, *raw).agg(pl.len().alias(ROWS))
    if not counted.height:
        return {}
    levels = {rule.name: _level(rule.treatment) for rule in table.rule.published}
    described = [_key(counted, name, levels.get(name), None) for name in names]
    figures = _figures(described, counted[KEPT].to_numpy(), codes(counted[ROWS]), k)
    if sample.height < table.source.rows:
        figures["loss"]["aecs"] = None
    return {"rows": sample.height, **figures}


def _figures(keys: Sequence[_Key], kept: Flags, weights: Codes, k: int) -> dict[str, Any]:
    """Measure over distinct tuples of source values, labels and whether they stay; `weights` count rows."""
    each = [(key.source, key.values) for key in keys] + [(key.label, key.labels) for key in keys]
    each.append((kept.astype(np.int64), 2))
    place, places = grouped([column for column, _ in each], [size for _, size in each])
    first = np.unique(place, return_index=True)[1]
    rows = np.bincount(place, weights=weights, minlength=places).astype(np.int64)
    covers = [key.cover(first) for key in keys]
    return {
        "loss": asdict(loss_of(rows, covers, kept[first], k)),
        "query_error": query_error(rows, covers, kept[first], seed=SEED),
    }


def _beside(frame: pl.LazyFrame, recoding: Recoding) -> pl.LazyFrame:
    """Give columns as treated the name `FINE…`, and their own names to the labels."""
    fine = recoding.beside(frame).with_columns(pl.col(name).alias(FINE + name) for name in recoding.names)
    return fine.with_columns(pl.col(LABEL + name).alias(name) for name in recoding.names)


def _key(frame: pl.DataFrame, name: str, level: tuple[int, int] | None, recoding: Recoding | None) -> _Key:
    fine, raw = FINE + name, RAW + name
    source = raw if raw in frame.columns else name
    # Numbered in order: the same rows give the same figures, in whatever order they come.
    values, labels = (frame[column].unique().sort() for column in (source, name))
    told = frame.select(pl.col(name).alias(LABEL), pl.col(source).alias(RAW)).unique(maintain_order=True)
    if recoding is not None:
        as_treated = frame.select(pl.col(fine).alias(FINE), pl.col(source).alias(RAW)).unique(maintain_order=True)
        told = (
            recoding.covers[name].join(as_treated, on=FINE, how="inner", nulls_equal=True).unique(maintain_order=True)
        )
        told = told.filter(pl.col(LABEL).is_in(labels.implode(), nulls_equal=True))
    pairs = np.stack([_numbers(told[LABEL], labels), _numbers(told[RAW], values)], axis=1)
    return _Key(
        _numbers(frame[source], values), values.len(), _numbers(frame[name], labels), labels.len(),
        np.unique(pairs, axis=0), None if recoding is not None else level,
    )  # fmt: skip


def _numbers(column: pl.Series, values: pl.Series) -> Codes:
    """Give each value its place in `values`."""
    numbered = pl.DataFrame({"value": values, CODE: np.arange(values.len())})
    frame = column.alias("value").to_frame()
    return codes(frame.join(numbered, on="value", how="left", nulls_equal=True, maintain_order="left")[CODE])


def _level(treatment: Treatment) -> tuple[int, int] | None:
    return (treatment.level, treatment.hierarchy.levels) if isinstance(treatment, Level) else None


def _states(keys: Sequence[_Key], kept: Flags) -> tuple[Features, Features]:
    """Source values before; afterwards labels, and one label for all that was removed."""
    before = Features(tuple(key.source for key in keys), tuple(key.values for key in keys))
    sizes = [key.labels for key in keys]
    after = tuple(np.where(kept, key.label, size) for key, size in zip(keys, sizes, strict=True))
    return before, Features(after, tuple(size + 1 for size in sizes))
