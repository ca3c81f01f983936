"""Totals that a table names: rows and columns called total, subtotals, and the margins of a cube of several labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enclave.airlock.checks.numbers import is_total
from enclave.airlock.hidden.system import Cell, Equation, Range, holds

TOTAL = "\x00total"
FEWEST_PARTS = 2
Lines = list[tuple[int, tuple[int, ...]]]


def equations(
    labels: Sequence[Sequence[str]], names: Sequence[str], columns: Sequence[int], number: int
) -> Iterator[list[Equation]]:
    """Yield families of equations: one for each direction. A family that fails where all is shown holds nowhere.

    ``labels``: the label cells of each row; ``names``: of all columns; ``columns``: those that hold counts.
    """
    for whole, parts in row_totals(labels):
        yield [
            Equation((Cell(number, whole, column),), tuple(Cell(number, row, column) for row in parts))
            for column in columns
        ]
    for whole, parts in column_totals(names, columns):
        yield [
            Equation((Cell(number, row, whole),), tuple(Cell(number, row, column) for column in parts))
            for row in range(len(labels))
        ]


def row_totals(labels: Sequence[Sequence[str]]) -> Lines:
    """Return each total row with the rows it sums up."""
    keys = [_key(row) for row in labels]
    width = max((len(key) for key in keys), default=0)
    return _stacked(keys) if width <= 1 else _cube(keys)


def column_totals(names: Sequence[str], columns: Sequence[int]) -> Lines:
    """Return the one total column with the columns it sums up; nothing where several are called so."""
    wholes = [column for column in columns if is_total(names[column])]
    parts = tuple(column for column in columns if column not in wholes)
    return [(wholes[0], parts)] if len(wholes) == 1 and len(parts) >= FEWEST_PARTS else []


def kept(families: Iterator[list[Equation]], ranges: dict[Cell, Range]) -> Iterator[Equation]:
    """Yield the equations of the families that no fully shown line contradicts, as far as their cells are counts."""
    for family in families:
        known = [each for each in (_within(one, ranges) for one in family) if each is not None]
        if all(holds(each, ranges) is not False for each in known):
            yield from known


def _within(equation: Equation, ranges: dict[Cell, Range]) -> Equation | None:
    # Cells that hold no count (a mean among the counts) are in no sum.
    parts = tuple(cell for cell in equation.right if cell in ranges)
    if equation.left[0] not in ranges or len(parts) < FEWEST_PARTS:
        return None
    return Equation(equation.left, parts)


def _key(row: Sequence[str]) -> tuple[str, ...]:
    plain = [TOTAL if is_total(cell) else cell.strip().casefold() for cell in row]
    # A blank beside a total belongs to it ("All", "" in a pivot table's last row).
    return tuple(TOTAL if not cell and TOTAL in plain else cell for cell in plain)


def _stacked(keys: list[tuple[str, ...]]) -> Lines:
    wholes = [row for row, key in enumerate(keys) if TOTAL in key]
    if not wholes:
        return []
    if len(wholes) == 1:
        parts = tuple(row for row in range(len(keys)) if row != wholes[0])
        return [(wholes[0], parts)] if len(parts) >= FEWEST_PARTS else []
    return _blocks(wholes, len(keys), first=wholes[0] == 0)


def _blocks(wholes: list[int], count: int, *, first: bool) -> Lines:
    # Subtotals stand before or behind their parts; what has no part of its own sums up the other totals.
    lines: Lines = []
    bounds = [*wholes, count] if first else [-1, *wholes]
    for place, whole in enumerate(wholes):
        start, end = bounds[place], bounds[place + 1]
        parts = tuple(row for row in range(start + 1, end) if row not in wholes)
        if len(parts) >= FEWEST_PARTS:
            lines.append((whole, parts))
    grand = [whole for whole in wholes if whole not in {line[0] for line in lines}]
    subtotals = tuple(line[0] for line in lines)
    if len(grand) == 1 and len(subtotals) >= FEWEST_PARTS:
        lines.append((grand[0], subtotals))
    return lines


def _cube(keys: list[tuple[str, ...]]) -> Lines:
    filled = _filled(keys)
    lines: Lines = []
    for whole, key in enumerate(filled):
        for dimension, label in enumerate(key):
            if label != TOTAL:
                continue
            parts = _parts(filled, key, {dimension}) or _parts(
                filled, key, {place for place, each in enumerate(key) if each == TOTAL}
            )
            if len(parts) >= FEWEST_PARTS:
                lines.append((whole, parts))
    return list(dict.fromkeys(lines))


def _parts(keys: list[tuple[str, ...]], key: tuple[str, ...], free: set[int]) -> tuple[int, ...]:
    # The rows that differ from the total's in the free labels only, and are no totals there.
    return tuple(
        row
        for row, other in enumerate(keys)
        if all((other[place] != TOTAL) if place in free else other[place] == key[place] for place in range(len(key)))
    )


def _filled(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    # A printed table leaves a repeated label blank.
    filled: list[tuple[str, ...]] = []
    for key in keys:
        above = filled[-1] if filled else key
        filled.append(tuple(label or above[place] for place, label in enumerate(key)))
    return filled
