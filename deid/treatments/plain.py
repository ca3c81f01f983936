"""Drop and keep: a column is published as it is, or not at all (삭제, 유지)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.treatment import TYPES, Treatment, common_fields


@dataclass(frozen=True)
class Drop(Treatment):
    """The column is not published (삭제)."""

    def words(self) -> str:
        """See `Treatment.words`."""
        return "drop"


@dataclass(frozen=True)
class Keep(Treatment):
    """Published as it is (유지)."""

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return value

    def words(self) -> str:
        """See `Treatment.words`."""
        return "keep"


def parse_drop(_: Node, fields: Mapping[str, Node]) -> Drop:
    """Read `drop`. Raises `RecipeError`."""
    return Drop(**common_fields(fields, default="text", allowed=tuple(TYPES)))


def parse_keep(_: Node, fields: Mapping[str, Node]) -> Keep:
    """Read `keep`. Raises `RecipeError`."""
    return Keep(**common_fields(fields, default="text", allowed=tuple(TYPES)))
