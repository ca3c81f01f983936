"""Totals that no label names: a column or row that is the sum of others wherever all of them are shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from enclave.airlock.hidden.system import Cell, Equation, Range

Array = NDArray[np.float64]
MOST_ROWS, MOST_COLUMNS, PAIRED_COLUMNS = 300, 60, 14
SURE_LINES = 2  # in how many complete lines a sum must hold; by chance it holds in one now and then
SMALL_PART = 20


def sums(ranges: dict[Cell, Range], rows: int, columns: list[int], number: int) -> Iterator[Equation]:
    """Yield the equations that the shown numbers themselves give away; NaN-free lines are the evidence."""
    if not 0 < rows <= MOST_ROWS or not 0 < len(columns) <= MOST_COLUMNS:
        return
    grid = np.full((rows, len(columns)), np.nan)
    for (_, row, column), known in ranges.items():
        if known.is_exact:
            grid[row, columns.index(column)] = known.low
    for whole, parts in _lines(grid.T):
        for column in columns:
            yield Equation((Cell(number, whole, column),), tuple(Cell(number, row, column) for row in parts))
    for whole, parts in _lines(grid, pairs=len(columns) <= PAIRED_COLUMNS):
        for row in range(rows):
            yield Equation(
                (Cell(number, row, columns[whole]),), tuple(Cell(number, row, columns[place]) for place in parts)
            )
    yield from _nearly(grid, columns, number)


def _lines(grid: Array, *, pairs: bool = False) -> Iterator[tuple[int, tuple[int, ...]]]:
    # ``grid``: one line after the other; looked for are entries that are sums of others in every complete line.
    width = grid.shape[1]
    if len(grid) < SURE_LINES:
        return
    for whole in range(width):
        for parts in _candidates(whole, width, pairs=pairs):
            if _is_sum(grid, whole, parts):
                yield whole, parts
                break


def _candidates(whole: int, width: int, *, pairs: bool) -> Iterator[tuple[int, ...]]:
    rest = tuple(place for place in range(width) if place != whole)
    yield rest
    for size in range(2, width):
        yield tuple(range(whole + 1, min(whole + 1 + size, width)))
        yield tuple(range(max(0, whole - size), whole))
    if pairs:
        yield from combinations(rest, 2)


def _is_sum(grid: Array, whole: int, parts: tuple[int, ...]) -> bool:
    if len(parts) < 2:  # noqa: PLR2004 - a sum has two parts
        return False
    block = grid[:, parts]
    complete = ~np.isnan(block).any(axis=1) & ~np.isnan(grid[:, whole])
    if complete.sum() < SURE_LINES:
        return False
    chosen, total = block[complete], grid[complete, whole]
    if not np.array_equal(chosen.sum(axis=1), total):
        return False
    telling = (chosen > 0).sum(axis=1) > 1  # 5 = 5 + 0 tells nothing
    return int((telling & (total >= SMALL_PART)).sum()) >= SURE_LINES


def _nearly(grid: Array, columns: list[int], number: int) -> Iterator[Equation]:
    # One column, one or more gaps, and a first or last row that is a little more than all the others together.
    for place, column in enumerate(columns):
        values = grid[:, place]
        gaps = int(np.isnan(values).sum())
        for whole in {0, len(values) - 1}:
            others = np.delete(np.arange(len(values)), whole)
            rest = values[whole] - np.nansum(values[others])
            shown = len(others) - np.isnan(values[others]).sum()
            if gaps and shown > 1 and 0 < rest < SMALL_PART * gaps and values[whole] > SMALL_PART * gaps * 2:
                yield Equation((Cell(number, whole, column),), tuple(Cell(number, int(row), column) for row in others))
