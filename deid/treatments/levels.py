"""A level of a hierarchy (일반화 계층의 단계): looked up per distinct value and joined; or left to the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from deid.hierarchies.age import TOPS, WIDTHS
from deid.hierarchies.hierarchy import ALL, Hierarchy
from deid.hierarchies.known import KNOWN, hierarchy_named
from deid.hierarchies.table import TableHierarchy
from deid.recipe_yaml import Node
from deid.treatments.bands import AgeBand
from deid.treatments.treatment import Common, Treatment, common_fields

AUTO = "auto"


@dataclass(frozen=True)
class Level(Treatment):
    """The label of a value on one level; what the hierarchy does not know becomes `other`, or stops the run."""

    hierarchy: Hierarchy
    level: int
    other: str | None

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "String"

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`; a file of the site's own is named with the head of its SHA-256."""
        own = f" {self.hierarchy.sha256[:16]}" if isinstance(self.hierarchy, TableHierarchy) else ""
        return f"generalise({self.hierarchy.name}{own}, level {self.level} of {self.hierarchy.levels})"


@dataclass(frozen=True)
class Everything(Treatment):
    """One label for every value that is there (일반화의 맨 위 단계)."""

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "String"

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`."""
        return pl.when(value.is_not_null()).then(pl.lit(ALL))

    def words(self) -> str:
        """See `Treatment.words`."""
        return "generalise(all)"


@dataclass(frozen=True)
class Choice(Treatment):
    """`level: auto`: the treatments to choose from, level 0 first, each coarser than the one before.

    The search of the recipe's `privacy` section replaces it by one of `options` before anything is read in full.
    """

    hierarchy: Hierarchy
    options: tuple[Treatment, ...]

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "String"

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`; looking it up is refused until a level was chosen."""
        return True

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Treatment.needs`."""
        return self.options[0].needs

    @property
    def lossy(self) -> bool:
        """See `Treatment.lossy`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise({self.hierarchy.name}, level auto)"


def parse_level(fields: Mapping[str, Node]) -> Treatment:
    """Read `generalise` with `hierarchy`. Raises `RecipeError`."""
    hierarchy = _hierarchy(fields["hierarchy"])
    if "level" not in fields:
        fields["hierarchy"].fail("missing", "level이 필요합니다.", "hierarchy needs 'level'.")
    other = fields["other"].text() if "other" in fields else None
    common = common_fields(fields, default="date" if "age_at" in fields else "text", allowed=("text", "date"))
    if "age_at" in fields:
        if hierarchy.name != "age" or common.get("type") != "date" or other is not None:
            fields["age_at"].fail(
                "age", "age_at은 hierarchy: age와 날짜 열에 씁니다.", "age_at is for dates and hierarchy: age."
            )
        options = _ages(fields["age_at"].text(), common)
    elif common.get("type") != "text":
        fields["hierarchy"].fail("kind", "글로 읽는 열이어야 합니다.", "the column must be read as text.")
    else:
        options = tuple(Level(hierarchy, level, other, **common) for level in range(hierarchy.levels + 1))
    if fields["level"].text() == AUTO:
        return Choice(hierarchy, options, **common)
    return options[fields["level"].integer(0, hierarchy.levels)]


def _ages(at: str, common: Common) -> tuple[Treatment, ...]:
    bands = (AgeBand(width, top, None, at, **common) for width, top in zip(WIDTHS, TOPS, strict=True))
    return (*bands, Everything(**common))


def _hierarchy(node: Node) -> Hierarchy:
    try:
        return hierarchy_named(node.text(), node.folder)
    except LookupError:
        words = ", ".join(KNOWN)
        node.fail(
            "hierarchy",
            f"'{node.text()}'이라는 계층이 없습니다. 있는 것: {words}, 또는 계획 옆의 .csv 파일.",
            f"there is no hierarchy '{node.text()}'; there are: {words}, or a .csv file beside the recipe.",
        )
    except (OSError, ValueError) as error:
        node.fail(
            "hierarchy", f"계층 파일을 쓸 수 없습니다: {error}.", f"the hierarchy's file cannot be used: {error}."
        )
