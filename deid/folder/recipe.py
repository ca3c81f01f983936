"""A recipe for a folder of images and signals: what every such recipe says, and one section for each family of formats.

The keys of `patient:` are those of a table's pseudonym and date shift: with the same `dataset`, `domain` and `max_days`
as the recipe of the tables, a patient's images, signals and rows meet. A section that is missing refuses its formats.
`provider` and `legal_basis` are needed where a snapshot is signed; a folder into which files are written has neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deid.frame_cases import LEAST, LINEAGE, MOST
from deid.recipe_yaml import Node, content, read
from deid.sample_gate import WantedSample, parse_sample
from deid.slugs import read_slug
from deid.versions.consent import Terms, parse_terms

WIDEST_OFFSET = 3650  # days
SIGNED = ("title", "provider", "legal_basis")


@dataclass(frozen=True)
class FolderRecipe:
    """A recipe of a folder; `sections` holds what each family's own parser made of its section, `file` is its name.

    `title` is Korean and English; `terms` are those of consent and withdrawal, as in a recipe of tables.
    """

    dataset: str
    version: int
    domain: str
    max_days: int
    sections: Mapping[str, Any]
    sha256: str
    file: str = ""
    title: tuple[str, str] = ("", "")
    provider: str = ""
    legal_basis: str = ""
    terms: Terms = field(default_factory=Terms)
    frame_sample: WantedSample | None = None


def is_of_folder(path: Path) -> bool:
    """Whether a recipe says that it is of a folder and not of tables. Raises `RecipeError` for what is no recipe."""
    return "kind" in read(path, content(path)).pairs()


def load(path: Path, parsers: Mapping[str, Callable[[Node], Any]], *, signed: bool = False) -> FolderRecipe:
    """Read a recipe; `parsers` gives each section's parser by its name; `signed` asks for what a snapshot must say.

    Raises `RecipeError` naming line and column.
    """
    data = content(path)
    root = read(path, data)
    if "kind" not in root.pairs():
        remedy = (
            "표라면 `ansim deid run`에 주고, 폴더라면 `kind: folder`를 쓰세요.",
            "If it is of tables give it to `ansim deid run`; if of a folder write `kind: folder`.",
        )
        root.fail("not-folder", "폴더의 계획이 아닙니다.", "is no recipe of a folder.", remedy=remedy)
    required = ("recipe", "kind", "dataset", "version", "patient")
    optional = ("consent", "withdrawals", "gates", *parsers)
    top = root.fields((*required, *SIGNED), optional) if signed else root.fields(required, (*SIGNED, *optional))
    top["recipe"].integer(1, 1)
    top["kind"].one_of(("folder",))
    patient = top["patient"].fields(("domain", "max_days"))
    domain = read_slug(patient["domain"])
    return FolderRecipe(
        dataset=read_slug(top["dataset"]),
        version=top["version"].integer(1, 10**6),
        domain=domain,
        max_days=patient["max_days"].integer(1, WIDEST_OFFSET),
        sections={name: parse(top[name]) for name, parse in parsers.items() if name in top},
        sha256=hashlib.sha256(data).hexdigest(),
        file=path.name,
        title=_title(top.get("title")),
        provider=read_slug(top["provider"]) if "provider" in top else "",
        legal_basis=top["legal_basis"].text() if "legal_basis" in top else "",
        terms=parse_terms(top.get("consent"), top.get("withdrawals"), (domain,)),
        frame_sample=_frame_sample(top.get("gates")),
    )


def _title(node: Node | None) -> tuple[str, str]:
    if node is None:
        return "", ""
    if not node.is_mapping():
        return node.text(), node.text()
    words = node.fields(("ko", "en"))
    return words["ko"].text(), words["en"].text()


def _frame_sample(node: Node | None) -> WantedSample | None:
    fields = node.fields((), (LINEAGE,)) if node else {}
    return parse_sample(fields.get(LINEAGE), most=MOST, otherwise=LEAST)
