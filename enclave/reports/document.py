"""A report before it has a form: sections of facts and tables, in Korean with English beside it. Pure.

HTML and PDF are drawn from the same document, so they cannot say different things.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.paper import Sheet

Pair = tuple[str, str]


@dataclass(frozen=True)
class Column:
    """One column of a table: its head, its share of the width (any unit), whether it holds numbers."""

    head: Pair
    width: int = 1
    number: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of texts; a row has as many cells as there are columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One part: sentences, then facts (label, value), then a table. `note`: stands out (a warning)."""

    title: Pair
    text: tuple[Pair, ...] = ()
    facts: tuple[tuple[Pair, str], ...] = ()
    table: Table | None = None
    note: Pair | None = None


@dataclass(frozen=True)
class Document:
    """A whole report. `source`: the SHA-256 of the data it was made from; `sheet`: the checkpoint on every page.

    `boxes`: who signs on paper.
    """

    title: Pair
    about: tuple[tuple[Pair, str], ...]
    sections: tuple[Section, ...]
    source: str
    sheet: Sheet | None = None
    boxes: tuple[Pair, ...] = ()
