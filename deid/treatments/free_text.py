"""Free text (자유 글): masked once per distinct text by `deid.detect` and joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields


@dataclass(frozen=True)
class FreeText(Treatment):
    """Identifiers in the text are replaced by typed placeholders such as <이름> (자유 글)."""

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`."""
        return "free_text"


def parse_free_text(_: Node, fields: Mapping[str, Node]) -> FreeText:
    """Read `free_text`. Raises `RecipeError`."""
    return FreeText(**common_fields(fields, default="text", allowed=("text",)))
