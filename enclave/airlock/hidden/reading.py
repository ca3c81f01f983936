"""The counts of one table as a reader sees them: exact, rounded, or hidden within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclave.airlock.checks.gaps import TAIL, is_hidden, read_bound
from enclave.airlock.checks.numbers import read_count, read_share
from enclave.airlock.hidden.system import Cell, Range

# (step, remainder, half): to the nearest 10 or 5, and "midpoint 6" (3, 9, 15 …), which OpenSAFELY recommends.
GRIDS = ((10, 0, 5), (5, 0, 2), (6, 3, 3))
FEWEST_ROUNDED = 5  # five exact counts are all multiples of five once in 3,125 tables


@dataclass(frozen=True)
class Counts:
    """The counts of a table by place. ``base``: what they are rounded to (1: not at all)."""

    ranges: dict[Cell, Range]
    hidden: frozenset[Cell]
    base: int


def read_counts(rows: Sequence[Sequence[str]], cells: Sequence[tuple[int, int]], number: int) -> Counts:
    """Read the cells at ``(row, column)`` of a table's body; cells that hold neither a count nor a gap are left out."""
    shown: dict[Cell, int] = {}
    hidden: dict[Cell, Range] = {}
    for row, column in cells:
        text = rows[row][column]
        count = read_shown(text)
        if count is not None:
            shown[Cell(number, row, column)] = count
        elif (gap := read_hidden(text)) is not None:
            hidden[Cell(number, row, column)] = gap
    step, half = grid(list(shown.values())) if hidden else (1, 0)
    ranges = {cell: Range(max(0, value - half), value + half) for cell, value in shown.items()}
    return Counts(ranges | hidden, frozenset(hidden), step)


def read_shown(text: str) -> int | None:
    """Read a published count, also one with its share or its whole behind it; None for anything else."""
    count = read_count(text)
    return read_share(text) if count is None else count


def read_hidden(text: str) -> Range | None:
    """Read what a hidden cell admits: ``<10`` is 0 to 9, ``*`` anything; also with a share in brackets behind it."""
    bare = text if is_hidden(text) else TAIL.sub("", text)
    if not is_hidden(bare):
        return None
    bound = read_bound(bare)
    return Range(0, None if bound is None else bound - 1)


def grid(values: list[int]) -> tuple[int, int]:
    """Return what all the values are rounded to and half of it: (5, 2); (1, 0) if they are exact or too few to say."""
    large = [value for value in values if value]
    if len(large) >= FEWEST_ROUNDED:
        for step, rest, half in GRIDS:
            if all(value % step == rest for value in large):
                return step, half
    return 1, 0
