"""A recipe for a folder of images and signals: what every such recipe says, and one section for each family of formats.

The keys of `patient:` are those of a table's pseudonym and date shift: with the same `dataset`, `domain` and `max_days`
as the recipe of the tables, a patient's images, signals and rows meet. A section that is missing refuses its formats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deid.recipe_yaml import Node, content, read

SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
WIDEST_OFFSET = 3650  # days


@dataclass(frozen=True)
class FolderRecipe:
    """A recipe of a folder; `sections` holds what each family's own parser made of its section."""

    dataset: str
    version: int
    domain: str
    max_days: int
    sections: Mapping[str, Any]
    sha256: str


def load(path: Path, parsers: Mapping[str, Callable[[Node], Any]]) -> FolderRecipe:
    """Read a recipe; `parsers` gives each section's parser by its name. Raises `RecipeError` naming line and column."""
    data = content(path)
    root = read(path, data)
    top = root.fields(("recipe", "kind", "dataset", "version", "patient"), ("title", *parsers))
    top["recipe"].integer(1, 1)
    top["kind"].one_of(("folder",))
    patient = top["patient"].fields(("domain", "max_days"))
    return FolderRecipe(
        dataset=_slug(top["dataset"]),
        version=top["version"].integer(1, 10**6),
        domain=_slug(patient["domain"]),
        max_days=patient["max_days"].integer(1, WIDEST_OFFSET),
        sections={name: parse(top[name]) for name, parse in parsers.items() if name in top},
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _slug(node: Node) -> str:
    value = node.text()
    if not set(value) <= SLUG_LETTERS:
        node.fail("name", "영문 소문자, 숫자, -, _ 만 쓸 수 있습니다.", "only a-z, 0-9, - and _ are allowed.")
    return value
