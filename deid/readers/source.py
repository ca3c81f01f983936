"""What a reader of any format gives the engine: one checked table as text, scanned as often as needed.

Every format is brought to text columns, because that is what treatments parse and what CSV has anyway (but for what
they would read back as it was): the same logical table gives the same snapshot, whatever it was delivered as.
`docs/adr/0030-readers.md` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from deid.held import Held
from deid.recipe import TableRule

if TYPE_CHECKING:
    # SQLAlchemy takes half a second to load, and a worker on parts never asks a database.
    from deid.readers.connection import Databases

Advance = Callable[[int], None]


class Content(Protocol):
    """The rows behind a source, in one format; opened and checked already."""

    def scan(self) -> pl.LazyFrame:
        """Give the columns the recipe uses, lazily; what is empty or one of the recipe's `nulls` is null.

        As text, or of the type as which the recipe reads them (`spelling.read_as`).
        """

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:
        """Give the rows of `scan` about `rows` at a time, in their order; none is read before it is asked for."""

    def line_of(self, record: int) -> int:
        """Return the line or row (from 1) where a person finds a record (from 0) in the original."""

    def check_unchanged(self) -> None:
        """Raise `SourceError` if the original was written to since it was checked."""


@dataclass(frozen=True)
class Source:
    """A checked table. `place` names the original in errors; `size` in bytes; `loaded` holds a small table's columns.

    `sha256` is of the original's bytes, or of the rows as read where the original is no file.
    """

    rule: TableRule
    place: str
    header: tuple[str, ...]
    rows: int
    size: int
    sha256: str
    content: Content
    loaded: Held | None

    def scan(self) -> pl.LazyFrame:
        """See `Content.scan`; a small table is parsed only once."""
        return self.loaded.lazy() if self.loaded is not None else self.content.scan()

    def line_of(self, record: int) -> int:
        """See `Content.line_of`."""
        return self.content.line_of(record)

    def check_unchanged(self) -> None:
        """See `Content.check_unchanged`."""
        self.content.check_unchanged()


@dataclass(frozen=True)
class Reading:
    """How to read: folder for unnamed copies, parse once and keep, whom to tell the bytes read, open databases."""

    spool: Path
    in_memory: bool
    advance: Advance
    databases: Databases
