"""`search: {method: mondrian}`: the quasi-identifiers of a table are published by combination, as ranges and sets.

Levels left open are taken at their finest; the search cuts what is treated so. The answer is no rule per column:
another version of the table is cut otherwise, so this is for one-off releases (ADR 33).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from deid.prepare import Prepared, gathered
from deid.privacy.asked import SearchAsked
from deid.privacy.coded import Places
from deid.privacy.labels import Scale, scale_of
from deid.privacy.watch import records_of
from deid.recipe import TableRule
from deid.recoding import LABEL, PART, Recoding
from deid.risk.counting import Codes
from deid.risk.models import Model
from deid.risk.mondrian import Partition, partition
from deid.suppress import Decision
from deid.transform.columns import INDEX


@dataclass(frozen=True)
class Cut:
    """What was found: the recoding, and the search in plain values."""

    recoding: Recoding
    found: Mapping[str, Any]


def check_quasi(table: TableRule) -> None:
    """Refuse quasi-identifiers that cannot be cut. Raises `RecipeError`."""
    for entry in table.quasi_identifiers:
        rule = next(rule for rule in table.published if rule.name == entry.column)
        if entry.by is not None or rule.treatment.learner is not None:
            rule.node.fail(
                "mondrian",
                "mondrian은 by나 열 전체에서 배우는 처리(rare, micro_aggregate 등)를 쓰는 준식별자와 맞지 않습니다.",
                "mondrian does not go with 'by', nor with treatments that learn from the whole column.",
                remedy=(
                    "날짜는 generalise의 date: year로 묶고, 드문 값의 처리는 빼세요.",
                    "Generalise dates with date: year, and leave out the treatment of rare values.",
                ),
            )


def cut(rule: TableRule, places: Places, models: Sequence[Model], asked: SearchAsked) -> Cut | None:
    """Cut the distinct combinations `places`; None where not even the whole table satisfies the models."""
    names = tuple(entry.key for entry in rule.quasi_identifiers)
    scales = [
        scale_of(next(each for each in rule.published if each.name == name), places.keys[name].unique())
        for name in names
    ]
    codes = np.stack([_codes(places.keys[scale.name], scale) for scale in scales], axis=1)
    weights = dict(asked.weights)
    axes = [scale.axis(weights.get(scale.name, 1.0)) for scale in scales]
    found = partition(records_of(places, codes), axes, models, asked.checks)
    if found is None:
        return None
    return Cut(_recoding(names, places.keys, found.part, scales, codes), _plain(found))


def with_last_labels(table: Prepared, decision: Decision) -> Prepared:
    """Leave out of the labels what only excluded patients had: nothing of them may be written."""
    recoding = table.recoding
    if recoding is None or not (decision.excluded & table.present).any():
        return table
    excluded = decision.excluded
    names = list(recoding.names)

    def fine(part: Prepared) -> pl.LazyFrame:
        whole = replace(part, recoding=None, computed=None)
        return whole.classified().select(INDEX, *names).unique()

    seen = gathered(table, fine)
    left = seen.filter(~pl.Series(excluded).gather(seen[INDEX])).select(names).unique()
    tuples = recoding.tuples.join(left, on=names, how="semi", nulls_equal=True, maintain_order="left")
    labels = [LABEL + name for name in names]
    scales = [scale_of(_rule(table.rule, name), tuples[name].unique()) for name in names]
    codes = np.stack([_codes(tuples[scale.name], scale) for scale in scales], axis=1)
    again = _recoding(recoding.names, tuples.select(names), tuples[PART].to_numpy(), scales, codes)
    last = pl.concat(
        [tuples.select(labels), again.tuples.select(pl.col(LABEL + name).alias(name) for name in names)],
        how="horizontal",
    )
    return replace(table, recoding=recoding.ending(last.unique()))


def _rule(table: TableRule, name: str) -> Any:
    return next(rule for rule in table.published if rule.name == name)


def _recoding(
    names: tuple[str, ...], keys: pl.DataFrame, part: Codes, scales: Sequence[Scale], codes: Codes
) -> Recoding:
    tuples, covers = keys.with_columns(pl.Series(PART, part)), {}
    for column, scale in enumerate(scales):
        label, covers[scale.name] = scale.spans(part, codes[:, column])
        tuples = tuples.with_columns(label.alias(LABEL + scale.name))
    return Recoding(names, tuples, covers)


def _codes(column: pl.Series, scale: Scale) -> Codes:
    numbered = pl.DataFrame({"value": scale.values, "code": np.arange(scale.values.len())})
    frame = column.alias("value").to_frame()
    joined = frame.join(numbered, on="value", how="left", nulls_equal=True, maintain_order="left")
    return joined["code"].cast(pl.Int64).to_numpy()


def _plain(found: Partition) -> Mapping[str, Any]:
    return {
        "method": "mondrian",
        "levels": {},
        "loss": round(found.loss, 6),
        "rows_removed": 0,
        "parts": found.parts,
        "checks": found.checks,
        "exact": found.is_finished,
    }
