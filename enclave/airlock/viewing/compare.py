"""What changed between two rounds of one file, inside the sealed child: lines of text, rows and cells of tables.

Longest common subsequences by the standard library's difflib; a file too long for it is said to be so, not guessed at.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from enclave.airlock.viewing.pieces import Piece
from enclave.airlock.viewing.visible import visible

MOST_UNITS, MOST_SHOWN, CONTEXT = 5_000, 1_000, 2
Row = tuple[str, ...]
Drawn = dict[str, object]


def compare(old: Sequence[Piece], new: Sequence[Piece]) -> list[Drawn]:
    """Return for each piece of either file what became of it: ``same``, ``changed``, ``new``, ``gone``.

    Pieces are matched by kind and path. ``rows`` of a changed one: ``mark`` (``=`` unchanged nearby, ``-``, ``+``,
    ``~`` changed), the numbers before and after, the cells, and for ``~`` what they were. ``cut``: not all is shown.
    """
    before, after = _named(old), _named(new)
    names = list(dict.fromkeys([*after, *before]))
    return [_compare(name, before.get(name), after.get(name)) for name in names]


def _named(pieces: Sequence[Piece]) -> dict[tuple[object, ...], Piece]:
    found: dict[tuple[object, ...], Piece] = {}
    for piece in pieces:
        if piece.needed:
            twin = sum(1 for name in found if name[:2] == (piece.kind, piece.path))
            found[piece.kind, piece.path, twin] = piece
    return found


def _compare(name: tuple[object, ...], old: Piece | None, new: Piece | None) -> Drawn:
    piece = new or old
    shown: Drawn = {"kind": name[0], "path": [visible(label) for label in piece.path] if piece else []}
    if old is None or new is None:
        return {**shown, "state": "new" if old is None else "gone"}
    if old.long_table is None and (_rows(old), old.picture) == (_rows(new), new.picture):
        return {**shown, "state": "same"}
    if new.kind == "picture" or max(old.units, new.units) > MOST_UNITS or old.long_table or new.long_table:
        return {**shown, "state": "changed", "cut": new.kind != "picture"}
    rows = list(_changes(_rows(old), _rows(new)))
    return {**shown, "state": "changed", "rows": rows[:MOST_SHOWN], "cut": len(rows) > MOST_SHOWN}


def _rows(piece: Piece) -> list[Row]:
    # The header is row 1, as a spreadsheet counts.
    if piece.table is not None:
        return [piece.table.columns, *piece.table.rows]
    return [(line,) for line in piece.lines]


def _changes(old: list[Row], new: list[Row]) -> Iterator[Drawn]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=True)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        for tag, a, b, c, d in group:
            if tag == "equal":
                for number in range(b - a):
                    yield _row("=", a + number + 1, c + number + 1, new[c + number])
            else:
                yield from _replaced(old[a:b], new[c:d], a + 1, c + 1)


def _replaced(old: list[Row], new: list[Row], old_number: int, new_number: int) -> Iterator[Drawn]:
    paired = len(old) == len(new) and all(map(_alike, old, new))
    if paired:
        for number, (was, row) in enumerate(zip(old, new, strict=True)):
            cells = zip_longest(was, row, fillvalue="")
            changed = [visible(before) if before != cell else None for before, cell in cells]
            yield {**_row("~", old_number + number, new_number + number, row), "was": changed}
        return
    for number, row in enumerate(old):
        yield _row("-", old_number + number, 0, row)
    for number, row in enumerate(new):
        yield _row("+", 0, new_number + number, row)


def _alike(was: Row, row: Row) -> bool:
    """Whether two rows are one row with changed cells: as wide, several cells, and at least one of them the same."""
    return len(was) == len(row) > 1 and any(map(str.__eq__, was, row))


def _row(mark: str, old: int, new: int, cells: Row) -> Drawn:
    return {"mark": mark, "old": old, "new": new, "cells": [visible(cell) for cell in cells]}
