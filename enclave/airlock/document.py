"""What a parsed file is to the checks: frozen tables, text, or a picture's bytes. No file handles, no live objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Table:
    """A table of text cells: every row is as long as ``columns``. ``label`` names it inside a text or JSON file."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    label: str = ""

    @cached_property
    def by_column(self) -> tuple[tuple[str, ...], ...]:
        """The same cells, column by column."""
        return tuple(zip(*self.rows, strict=True)) if self.rows else tuple(() for _ in self.columns)


@dataclass(frozen=True)
class Document:
    """One parsed file. ``kind``: ``table``, ``text`` or ``picture``; ``notes``: what the parser had to mend."""

    kind: str
    tables: tuple[Table, ...] = ()
    text: str = ""
    picture: bytes = b""
    notes: tuple[str, ...] = ()
