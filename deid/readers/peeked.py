"""What a look at a source gives: tables, columns with guessed types and what their schema knows, first rows as text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from deid.readers.guess import guess
from deid.recipe_source import Origin
from deid.schemas import omop
from deid.schemas.kinds import Kind, proposal


@dataclass(frozen=True)
class PeekedColumn:
    """A column: its name, guessed type (a key of `treatments.TYPES`, or `nested`) and, for dates, format (strftime).

    Where the table's schema knows that it identifies: how (`known`), and the recipe fields usually right for it.
    """

    name: str
    type: str
    format: str
    known: Kind | None
    proposal: dict[str, Any] | None


@dataclass(frozen=True)
class PeekedTable:
    """A table: suggested name, origin to write into a recipe, columns, first rows as text (empty fields are null)."""

    name: str
    origin: Origin
    columns: tuple[PeekedColumn, ...]
    head: pl.DataFrame


def table_of(name: str, origin: Origin, head: pl.DataFrame, nested: Collection[str] = ()) -> PeekedTable:
    """Make a `PeekedTable` of a frame of text; `nested` names columns of a type that no field can hold.

    A table named as one of the OMOP CDM, with its key or a person in it, is taken for that.
    """
    model = name.lower()
    if model in omop.TABLES and {"person_id", f"{model}_id"} & {column.lower() for column in head.columns}:
        origin = replace(origin, omop=model)
    columns = []
    for column in head.columns:
        known = omop.kind_of(column) if origin.omop else None
        proposed = proposal(known, column.lower(), domain=omop.domain_of(column)) if known else None
        kind, form = ("nested", "") if column in nested else guess(head[column])
        columns.append(PeekedColumn(column, kind, form, known, proposed))
    return PeekedTable(slug(name), origin, tuple(columns), head)


def slug(name: str) -> str:
    """Make a name that a recipe's table can have."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.lower()).strip("_")
    return (letters if letters[:1].isalpha() else f"table_{letters}".rstrip("_"))[:40]
