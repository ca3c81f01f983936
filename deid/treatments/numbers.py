"""Numbers: cut at the ends (상·하단 코딩), rounded (라운딩)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.treatment import LIMIT, TYPES, Treatment, common_fields

NUMBERS = ("number", "integer")


@dataclass(frozen=True)
class Clip(Treatment):
    """Values above `top` become `top`, below `bottom` become `bottom` (상·하단 코딩)."""

    top: float | None
    bottom: float | None

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return as_type(value.clip(self.bottom, self.top), self)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"top_code({self.top:g})" if self.top is not None else f"bottom_code({self.bottom:g})"


@dataclass(frozen=True)
class Round(Treatment):
    """To the nearest multiple of `to`, halves to even (라운딩)."""

    to: float

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return as_type((value / self.to).round() * self.to, self)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"round({self.to:g})"


def as_type(value: pl.Expr, treatment: Treatment) -> pl.Expr:
    """Cast a computed number to the column's own type: integers stay integers."""
    return value.cast(pl.Int64 if TYPES[treatment.type] == "Int64" else pl.Float64)


def parse_round(_: Node, fields: Mapping[str, Node]) -> Round:
    """Read `round`. Raises `RecipeError`."""
    return Round(fields["to"].number(1e-9, LIMIT), **common_fields(fields, default="number", allowed=NUMBERS))


def parse_limit(fields: Mapping[str, Node], *, top: bool) -> Clip:
    """Read `top_code` or `bottom_code` with `at`. Raises `RecipeError`."""
    common = common_fields(fields, default="number", allowed=NUMBERS)
    at = fields["at"].number(-LIMIT, LIMIT)
    return Clip(at if top else None, None if top else at, **common)
