"""One page of one piece, drawn inside the sealed child: filtered, sorted, and never cut within a row or a line.

Each row comes with the number it has in the file, so that a page can say which rows were shown, whatever the order.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Sequence

from enclave.airlock.checks.numbers import read_count, read_number, read_share
from enclave.airlock.document import Table
from enclave.airlock.viewing.ask import Ask
from enclave.airlock.viewing.highlight import highlight
from enclave.airlock.viewing.long_pages import long_order
from enclave.airlock.viewing.pieces import Piece
from enclave.airlock.viewing.visible import visible

MOST_ROWS, MOST_CELLS, MOST_CHARS = 500, 10_000, 400_000
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
Drawn = dict[str, object]


def draw_page(piece: Piece, ask: Ask) -> Drawn:
    """Return ``start``, ``matching`` (rows that pass), ``size``, ``numbers`` and the rows or lines, ready for JSON."""
    if piece.long_table is not None:
        table = piece.long_table
        return _table_page(table.columns, long_order(table, ask, passes, sort_key), table.row, ask)
    if piece.table is not None:
        rows = piece.table.rows
        return _table_page(piece.table.columns, _order(piece.table, ask), rows.__getitem__, ask)
    return _text_page(piece, ask)


def _order(table: Table, ask: Ask) -> list[int]:
    order = [number for number, row in enumerate(table.rows) if passes(row, ask)]
    if ask.sort is not None and 0 <= ask.sort < len(table.columns):
        column = ask.sort
        order.sort(key=lambda number: sort_key(table.rows[number][column]), reverse=ask.down)
    return order


def _table_page(columns: Sequence[str], order: Sequence[int], row: Callable[[int], Sequence[str]], ask: Ask) -> Drawn:
    most = min(MOST_ROWS, max(1, MOST_CELLS // max(1, len(columns))))
    start, numbers = _cut(order, ask, most, lambda number: sum(map(len, row(number))))
    return {
        "start": start,
        "matching": len(order),
        "size": most,
        "columns": [visible(name) for name in columns],
        "numbers": numbers,
        "rows": [[visible(cell) for cell in row(number)] for number in numbers],
    }


def _text_page(piece: Piece, ask: Ask) -> Drawn:
    order = [number for number, line in enumerate(piece.lines) if passes((line,), ask)]
    start, numbers = _cut(order, ask, MOST_ROWS, lambda number: len(piece.lines[number]))
    coloured = highlight(piece.lines, piece.name)
    lines = [coloured[number] for number in numbers]
    return {"start": start, "matching": len(order), "size": MOST_ROWS, "numbers": numbers, "lines": lines}


def _cut(order: Sequence[int], ask: Ask, most: int, size: Callable[[int], int]) -> tuple[int, list[int]]:
    """Return where the page begins and its rows: at most `most`, and fewer where they are long; at least one."""
    start = max(0, min(ask.start, len(order) - 1))
    if ask.row is not None and ask.row in order:
        start = order.index(ask.row) // most * most
    numbers: list[int] = []
    chars = 0
    for number in order[start : start + most]:
        chars += size(number)
        if numbers and chars > MOST_CHARS:
            break
        numbers.append(number)
    if ask.row is not None and ask.row in order and ask.row not in numbers:
        return _cut(order, Ask(piece=ask.piece, start=order.index(ask.row)), most, size)
    return start, numbers


def passes(cells: Sequence[str], ask: Ask) -> bool:
    """Return whether a row with these cells passes the filter that is asked for."""
    wanted = ask.find.strip()
    if not wanted:
        return True
    if ask.column is not None:
        cells = cells[ask.column : ask.column + 1] if ask.column >= 0 else ()
    sign = next((sign for sign in COMPARE if wanted.startswith(sign)), "")
    value = read_number(wanted.removeprefix(sign)) if sign else None
    if value is not None:
        return any(_compares(cell, sign, value) or wanted == cell.strip() for cell in cells)
    if sign in {"=", "!="}:
        text = _folded(wanted.removeprefix(sign))
        return any((_folded(cell) == text) is (sign == "=") for cell in cells)
    return any(_folded(wanted) in _folded(cell) for cell in cells)


def _compares(cell: str, sign: str, value: float) -> bool:
    number = _number(cell)
    return number is not None and COMPARE[sign](number, value)


def _number(cell: str) -> float | None:
    """Read a cell's number as tables of results print it: also ``3 (2%)``, ``3/120``, ``12명``."""
    number = read_number(cell)
    if number is not None:
        return number
    count = read_count(cell)
    return float(count) if count is not None else read_share(cell)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def sort_key(cell: str) -> tuple[int, float, str]:
    """Return what a cell is sorted by: numbers by value, then texts."""
    number = _number(cell)
    return (1, 0.0, _folded(cell)) if number is None else (0, number, "")
