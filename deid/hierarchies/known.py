"""Hierarchies by the name a recipe gives: those that ship, and files beside the recipe."""

from __future__ import annotations

from pathlib import Path

from deid.hierarchies.age import Age
from deid.hierarchies.atc import Atc
from deid.hierarchies.hierarchy import Hierarchy
from deid.hierarchies.kcd8 import Kcd8
from deid.hierarchies.postcode import Postcode
from deid.hierarchies.sigungu import Sigungu
from deid.hierarchies.table import read_table

KNOWN: dict[str, Hierarchy] = {hierarchy.name: hierarchy for hierarchy in (Age(), Atc(), Kcd8(), Postcode(), Sigungu())}


def hierarchy_named(name: str, folder: Path) -> Hierarchy:
    """Return a hierarchy that ships, or read `folder/name` where the name ends in `.csv`.

    Raises `LookupError` for an unknown name, `ValueError` or `OSError` for a file that cannot be used.
    """
    if name in KNOWN:
        return KNOWN[name]
    if not name.endswith(".csv") or Path(name).name != name:
        raise LookupError(name)
    return read_table(folder / name)
