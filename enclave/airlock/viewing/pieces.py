"""What there is to look at in a parsed file: its tables, its text, its picture, and those of everything inside it.

Pieces are numbered in the order in which they stand in the file. The numbers are stable, because parsing is: the same
bytes give the same pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from enclave.airlock.document import Document, Table
from enclave.airlock.long_table import LongTable
from enclave.airlock.viewing.visible import visible

MOST = 500


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing to look at. ``kind``: ``table``, ``text``, ``picture``, or ``refused``: a file inside that has no view.

    ``path``: the labels of the parts it stands in, outermost first. ``needed``: whether it must be looked at; a table
    found inside a text is another reading of what the text shows already. ``name`` decides how code is coloured.
    ``long_table`` stands in for ``table`` where that would hold too many cells.
    """

    kind: str
    path: tuple[str, ...] = ()
    name: str = ""
    needed: bool = True
    table: Table | None = None
    lines: tuple[str, ...] = ()
    picture: bytes = b""
    long_table: LongTable | None = None

    @property
    def units(self) -> int:
        """How many rows or lines it has; 1 for a picture, and for a table without rows (its header)."""
        if self.long_table is not None:
            return max(1, self.long_table.length)
        return max(1, len(self.table.rows) if self.table is not None else len(self.lines))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a table's columns; none for anything else."""
        table = self.long_table or self.table
        return table.columns if table is not None else ()

    def outline(self) -> dict[str, object]:
        """Return what a page is told about it before it is drawn, ready for JSON."""
        return {
            "kind": self.kind,
            "path": [visible(label) for label in self.path],
            "needed": self.needed,
            "units": self.units,
            "columns": len(self.columns),
        }


def pieces(document: Document, name: str) -> tuple[list[Piece], int]:
    """Return at most 500 pieces of a file, and how many are left out."""
    found = _walk(document, name, ())
    kept = list(islice(found, MOST))
    return kept, sum(1 for _ in found)


def _walk(document: Document, name: str, path: tuple[str, ...]) -> Iterator[Piece]:
    if document.picture:  # a figure's looks come before what can be read in it
        yield Piece(kind="picture", path=path, picture=document.picture)
    if document.kind == "refused":
        yield Piece(kind="refused", path=path)
    elif document.kind != "picture":
        if document.is_prose and document.text.strip():
            coloured = name if not path or document.kind == "code" else ""
            yield Piece(kind="text", path=path, name=coloured, lines=tuple(document.text.splitlines()))
        read_already = document.is_prose and bool(document.text.strip())
        yield from (_table(each, path, needed=not read_already) for each in document.tables)
    for long in document.long_tables:
        yield Piece(kind="table", path=(*path, long.label) if long.label else path, long_table=long)
    for part in document.parts:
        yield from _walk(part.document, name, (*path, part.label))


def _table(table: Table, path: tuple[str, ...], *, needed: bool) -> Piece:
    return Piece(kind="table", path=(*path, table.label) if table.label else path, needed=needed, table=table)
