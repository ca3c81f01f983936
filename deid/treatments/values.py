"""Text generalised value by value (일반화): its first characters, or a map of the recipe's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields


@dataclass(frozen=True)
class Prefix(Treatment):
    """The first `length` characters (일반화)."""

    length: int

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return value.str.slice(0, self.length)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(prefix {self.length})"


@dataclass(frozen=True)
class MapValues(Treatment):
    """Value by value; what the map does not name becomes `other`, or is an error when there is none (일반화)."""

    mapping: Mapping[str, str]
    other: str | None

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        mapping = dict(self.mapping)
        if self.other is None:
            # Without `other` an unforeseen value must stop the run, not slip through or vanish; empty stays empty.
            strict = value.replace_strict({**mapping, None: None}, return_dtype=pl.String)
            return pl.when(value.is_not_null()).then(strict)
        mapped = value.replace_strict(mapping, default=self.other, return_dtype=pl.String)
        return pl.when(value.is_not_null()).then(mapped)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(map of {len(self.mapping)})"


def parse_prefix(fields: Mapping[str, Node]) -> Prefix:
    """Read `generalise` with `prefix`. Raises `RecipeError`."""
    length = fields["prefix"].integer(1, 100)
    return Prefix(length, **common_fields(fields, default="text", allowed=("text",)))


def parse_map(fields: Mapping[str, Node]) -> MapValues:
    """Read `generalise` with `map`. Raises `RecipeError`."""
    mapping = {name: value.text() for name, (_, value) in fields["map"].pairs().items()}
    other = fields["other"].text() if "other" in fields else None
    return MapValues(mapping, other, **common_fields(fields, default="text", allowed=("text",)))
