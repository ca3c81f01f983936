"""What a reader of published tables knows of their hidden cells: ranges of whole numbers, and sums that must agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell of a file: its table, row and column, each from 0."""

    table: int
    row: int
    column: int


@dataclass(frozen=True)
class Range:
    """The whole numbers from ``low`` to ``high``, both included; ``high`` None: without end."""

    low: int = 0
    high: int | None = None

    @property
    def is_exact(self) -> bool:
        """Whether only one number is left."""
        return self.low == self.high

    def within(self, other: Range) -> Range:
        """Return what lies in both; the ends of ``other`` where nothing does."""
        highs = [high for high in (self.high, other.high) if high is not None]
        low, high = max(self.low, other.low), min(highs, default=None)
        return Range(low, high) if high is None or low <= high else other


@dataclass(frozen=True)
class Equation:
    """Two sums over cells that are equal: a total and its parts, or one margin in two tables."""

    left: tuple[Cell, ...]
    right: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells in it."""
        return self.left + self.right


@dataclass(frozen=True)
class System:
    """Everything known about a file's counts.

    ``hidden``: those left out on purpose; each also has its range. ``narrowed``: those of them whose range a printed
    percentage has made narrower than the gap itself says.
    """

    ranges: dict[Cell, Range] = field(default_factory=dict)
    hidden: frozenset[Cell] = frozenset()
    equations: tuple[Equation, ...] = ()
    narrowed: frozenset[Cell] = frozenset()

    def hiding(self, more: Iterable[Cell]) -> System:
        """Return the same system with more cells hidden: of these a reader knows nothing but that they are counts."""
        added = frozenset(more)
        ranges = {cell: Range() if cell in added else known for cell, known in self.ranges.items()}
        return System(ranges, self.hidden | added, self.equations, self.narrowed)


def holds(equation: Equation, ranges: dict[Cell, Range]) -> bool | None:
    """Whether both sums can be equal; None while a cell without end is in it, or one whose range is not exact."""
    if any(ranges[cell].high is None for cell in equation.cells):
        return None
    spread = [_sum(side, ranges) for side in (equation.left, equation.right)]
    meet = spread[0][0] <= spread[1][1] and spread[1][0] <= spread[0][1]
    return meet if not meet or all(ranges[cell].is_exact for cell in equation.cells) else None


def _sum(cells: tuple[Cell, ...], ranges: dict[Cell, Range]) -> tuple[int, int]:
    return sum(ranges[cell].low for cell in cells), sum(ranges[cell].high or 0 for cell in cells)
