"""What a parsed file is to the checks: frozen tables, text, a picture's bytes, and the parts that lie inside it.

No file handles, no live objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from enclave.airlock.report import Finding

if TYPE_CHECKING:
    from enclave.airlock.long_table import LongTable

# Their text is the table written out, or nothing: it is not read as prose.
NOT_PROSE = frozenset({"table", "picture"})


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
class Embedded:
    """A file inside a file, as its parser took it out: it is opened like any submitted file (`enclave.airlock.parse`).

    ``label`` names it to people, ``name`` has the ending its type goes by.
    """

    label: str
    name: str
    content: bytes


@dataclass(frozen=True)
class Document:
    """One parsed file.

    ``kind``: ``table``, ``text``, ``picture``, ``code``, or what holds ``parts`` (``workbook``, ``notebook``, …);
    ``text``: what people read in it; ``notes``: what the parser had to mend; ``parts``: sheets, outputs, pictures in
    it; ``embedded``: files in it that are still to be opened; ``findings``: what the parser itself saw;
    ``long_tables``: tables with more cells than the checks of results read; ``written``: their text in UTF-8, unparsed.
    """

    kind: str
    tables: tuple[Table, ...] = ()
    text: str = ""
    picture: bytes = b""
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    embedded: tuple[Embedded, ...] = ()
    findings: tuple[Finding, ...] = ()
    long_tables: tuple[LongTable, ...] = ()
    written: bytes = b""

    @property
    def is_prose(self) -> bool:
        """Whether ``text`` is to be read as text, and not as the written form of a table."""
        return self.kind not in NOT_PROSE

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of each table, long ones included, parts not."""
        short = [(len(table.rows), len(table.columns)) for table in self.tables]
        return short + [(table.length, len(table.columns)) for table in self.long_tables]

    def walk(self, label: str = "") -> Iterator[tuple[str, Document]]:
        """Yield the document and all its parts, each with the label its places begin with ('' for itself)."""
        yield label, self
        for part in self.parts:
            yield from part.document.walk(f"{label} {part.label}".strip())


@dataclass(frozen=True)
class Part:
    """A document inside a document; ``label`` names it to people (``시트 ‘x’``, ``[3] 출력 1``)."""

    label: str
    document: Document
