"""Keyed pseudonyms (가명): computed once per distinct value in `transform/pseudonyms.py` and joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields


@dataclass(frozen=True)
class Pseudonym(Treatment):
    """HMAC-SHA256 with a key of the data set and `domain`, 16 bytes as 32 hex digits (가명)."""

    domain: str

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`."""
        return True

    @property
    def keyed(self) -> bool:
        """See `Treatment.keyed`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"pseudonym({self.domain})"


def parse_pseudonym(_: Node, fields: Mapping[str, Node]) -> Pseudonym:
    """Read `pseudonym`. Raises `RecipeError`."""
    return Pseudonym(fields["domain"].text(), **common_fields(fields, default="text", allowed=("text",)))
