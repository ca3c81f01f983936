"""Top and bottom coding at a percentile of the patients (상·하단 코딩): the limit is nobody's own value.

Each patient counts once, by their largest (smallest) value. The limit is the mean over the k patients at the
percentile and next to it on the inner side, and at least k patients lie beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.learned import PATIENT, VALUE, Finish, Learner, TooFewPatients
from deid.treatments.numbers import NUMBERS, parse_limit
from deid.treatments.treatment import Treatment, common_fields


@dataclass(frozen=True)
class Limit(Finish):
    """Values beyond `at` become `at`; `patients` of them lie beyond, out of `total`."""

    at: float
    top: bool
    patients: int
    total: int

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Finish.expression`."""
        limit = pl.lit(self.at)
        beyond = value > limit if self.top else value < limit
        return pl.when(beyond).then(limit).otherwise(value)

    def figures(self) -> Mapping[str, int | float]:
        """See `Finish.figures`."""
        return {"limit": self.at, "patients_beyond": self.patients, "patients": self.total}


@dataclass(frozen=True)
class PercentileCode(Treatment, Learner):
    """Values beyond the `percentile` of patients (above for `top`, else below) become the limit there."""

    percentile: float
    top: bool

    @property
    def learner(self) -> Learner:
        """See `Treatment.learner`."""
        return self

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`: as it is, until the limit is known."""
        return value

    def summary(self, frame: pl.LazyFrame, k: int) -> pl.LazyFrame:  # noqa: ARG002 - one number for each patient
        """See `Learner.summary`: each patient's most extreme value."""
        there = frame.filter(pl.col(VALUE).is_finite())
        return there.group_by(PATIENT).agg(pl.col(VALUE).max() if self.top else pl.col(VALUE).min())

    def learn(self, summary: pl.DataFrame, k: int) -> Limit:
        """See `Learner.learn`; at least 2k patients are needed."""
        values = summary[VALUE].sort(descending=not self.top)
        total = values.len()
        if total < 2 * k:
            raise TooFewPatients(total, 2 * k)
        share = self.percentile if self.top else 100 - self.percentile
        # Sorted towards the end that is coded: the k values up to this rank lie inside, at least k beyond.
        rank = min(max(math.ceil(share / 100 * total), k), total - k)
        mean = float(values[rank - k : rank].cast(pl.Float64).sort().mean())  # type: ignore[arg-type]
        at = round(mean) if self.type == "integer" else mean
        beyond = (values > at if self.top else values < at).sum()
        return Limit(at, self.top, int(beyond), total)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"{'top' if self.top else 'bottom'}_code(percentile {self.percentile:g} of patients)"


def parse_top_code(node: Node, fields: Mapping[str, Node]) -> Treatment:
    """Read `top_code`. Raises `RecipeError`."""
    return _code(node, fields, top=True)


def parse_bottom_code(node: Node, fields: Mapping[str, Node]) -> Treatment:
    """Read `bottom_code`. Raises `RecipeError`."""
    return _code(node, fields, top=False)


def _code(node: Node, fields: Mapping[str, Node], *, top: bool) -> Treatment:
    if ("at" in fields) == ("percentile" in fields):
        node.fail("missing", "at, percentile 중 하나가 필요합니다.", "one of at, percentile is needed.")
    return parse_limit(fields, top=top) if "at" in fields else _percentile(fields, top=top)


def _percentile(fields: Mapping[str, Node], *, top: bool) -> PercentileCode:
    common = common_fields(fields, default="number", allowed=NUMBERS)
    low, high = (50, 99.999) if top else (0.001, 50)
    return PercentileCode(fields["percentile"].number(low, high), top, **common)
