"""Which formats there are, in the order in which they are asked, and who reads their sections of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deid.folder.format import Format
from deid.folder.recipe import FolderRecipe
from deid.imaging.defacing import beforehand
from deid.imaging.dicom import Dicom
from deid.imaging.directory import is_directory
from deid.imaging.recipe import parse_imaging
from deid.recipe_yaml import Node
from deid.signal.formats import SIGNAL_FORMATS
from deid.signal.streams.rules import parse_signal

FORMATS: tuple[Format, ...] = (Dicom(), *SIGNAL_FORMATS)
SECTIONS: Mapping[str, Callable[[Node], Any]] = {"imaging": parse_imaging, "signal": parse_signal}


def format_of(head: bytes, name: str) -> Format | None:
    """Find the format of a file from its first bytes; None for none of ours."""
    return next((each for each in FORMATS if each.recognise(head, name)), None)


def prepared(recipe: FolderRecipe, source: Path, names: Sequence[str], staging: Path, *, links: bool) -> FolderRecipe:
    """Give the recipe with what must be known of all files before one is handed out.

    That is where the faces of heads are, and whether a directory will refer to what is written.
    """
    if "imaging" not in recipe.sections:
        return recipe
    rules = beforehand.prepared(recipe.sections["imaging"], source, names, staging)
    rules = replace(rules, file_ids=not links and any(map(is_directory, names)))
    return replace(recipe, sections={**recipe.sections, "imaging": rules})
