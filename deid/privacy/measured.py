"""What a table's treatment cost, over its quasi-identifiers: loss, wrong counts, and a model's accuracy on a task.

Everything is taken from the table's distinct source values and the labels they were published under, whatever the
treatment; rows that were removed have lost everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from deid.prepare import RAW, Prepared, gathered
from deid.privacy.coded import codes
from deid.risk.counting import Codes, Flags, grouped, people_of
from deid.risk.ladder import Ladder
from deid.risk.lattice import Lattice
from deid.risk.loss import loss_of
from deid.risk.models import Records
from deid.risk.query_error import query_error
from deid.risk.task import Features, task_of
from deid.suppress import ROWS
from deid.transform.columns import INDEX, class_key

KEPT, CODE = " kept", " code"
# Queries are drawn from this seed: the same table gives the same figures.
SEED = 20_240_501


@dataclass(frozen=True)
class _Key:
    """One class key of every observation: code of its source value, code of its label, and the ladder between."""

    source: Codes
    label: Codes
    ladder: Ladder


def cost_of(table: Prepared, allowed: pl.DataFrame, k: int, task: str | None) -> dict[str, Any]:
    """Return the figures as plain values; `allowed` holds the class keys that stay. Empty without rows."""
    entries = table.rule.quasi_identifiers
    names = [entry.key for entry in entries]
    raw = [RAW + rule.name for rule in table.generalised]
    also = [task] if task else []

    def grouped_rows(part: Prepared) -> pl.LazyFrame:
        frame = part.classified(also).with_columns(class_key(entry) for entry in entries)
        return frame.group_by(INDEX, *names, *raw, *also).agg(pl.len().alias(ROWS))

    counted = gathered(table, grouped_rows)
    stays = allowed.select(names).with_columns(pl.lit(value=True).alias(KEPT))
    counted = counted.join(stays, on=names, how="left", nulls_equal=True, maintain_order="left")
    if not counted.height:
        return {}
    keys = [_key(counted, name, RAW + name) for name in names]
    kept = counted[KEPT].fill_null(value=False).to_numpy()
    patient = codes(counted[INDEX])
    lattice, kept_tuples = _lattice(keys, patient, codes(counted[ROWS]), kept)
    node = tuple(key.ladder.height for key in keys)
    figures: dict[str, Any] = {
        "loss": asdict(loss_of(lattice, node, kept_tuples, k)),
        "query_error": query_error(lattice, node, kept_tuples, seed=SEED),
        "task": None,
    }
    if task:
        ranks = counted[task].rank("dense") - 1
        target = codes(ranks.fill_null(ranks.n_unique()))
        figures["task"] = asdict(task_of(task, _states(keys, kept), target, patient))
    return figures


def _key(frame: pl.DataFrame, name: str, raw: str) -> _Key:
    pair = [name, raw] if raw in frame.columns else [name]
    values = frame.select(pair).unique(maintain_order=True).with_row_index(CODE)
    source = codes(frame.join(values, on=pair, how="left", nulls_equal=True, maintain_order="left")[CODE])
    labels = values.select(name).unique(maintain_order=True).with_row_index(" label")
    level = codes(values.join(labels, on=name, how="left", nulls_equal=True, maintain_order="left")[" label"])
    if len(pair) == 1:
        return _Key(source, source, Ladder(name, (np.arange(values.height),)))
    return _Key(source, level[source], Ladder(name, (np.arange(values.height), level)))


def _lattice(keys: Sequence[_Key], patient: Codes, rows: Codes, kept: Flags) -> tuple[Lattice, Flags]:
    """Reduce observations to their distinct tuples of source values; whether a tuple stays is its class's matter."""
    place, places = grouped([key.source for key in keys], [key.ladder.values for key in keys])
    first = np.unique(place, return_index=True)[1]
    pairs = np.unique(patient * places + place)
    records = Records(
        np.stack([key.source[first] for key in keys], axis=1),
        np.bincount(place, weights=rows, minlength=places).astype(np.int64),
        people_of(pairs // places, pairs % places, places),
        {},
    )
    return Lattice(records, [key.ladder for key in keys], []), kept[first]


def _states(keys: Sequence[_Key], kept: Flags) -> tuple[Features, Features]:
    """Source values before; afterwards labels, and one label for all that was removed."""
    before = Features(tuple(key.source for key in keys), tuple(key.ladder.values for key in keys))
    sizes = [key.ladder.widths[-1] for key in keys]
    after = tuple(np.where(kept, key.label, size) for key, size in zip(keys, sizes, strict=True))
    return before, Features(after, tuple(size + 1 for size in sizes))
