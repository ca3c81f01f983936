"""How many values a drawn figure holds (R59): marks, one for each dot, and points, the corners of everything drawn.

A vector figure holds its numbers exactly, so what it draws is counted like rows of a table. Ticks, grid lines, frames
and letters say nothing about anybody and are left out, by where they stand and never by what their author calls them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SMALL = 0.03  # of the canvas: a dot, a tick, a letter
ALIKE = 3  # so many small shapes of one look are marks; fewer are a legend's
EVEN = 0.12  # of the usual distance: months differ that much in length
GRID, GROUND = 0.6, 0.5  # of the canvas: its length, its area
SAME_PLACE = 0.002
FINE = 120  # corners; a Korean syllable has about a hundred, a dot a dozen
LINE, RECTANGLE = 2, 4


@dataclass(frozen=True)
class Shape:
    """One drawn shape: its centre and size as shares of the canvas, and its corners.

    ``look``: what shapes drawn alike share. ``is_box``: its sides run along the axes, as those of a bar do.
    """

    x: float
    y: float
    width: float
    height: float
    corners: int
    look: str = ""
    is_box: bool = False

    @property
    def is_small(self) -> bool:
        """Whether it is no larger than a dot or a letter, and no finer: a curve drawn tiny is a curve."""
        return max(self.width, self.height) <= SMALL and self.corners <= FINE

    @property
    def is_scenery(self) -> bool:
        """Whether it is a grid line, an axis, a frame or the ground of a figure."""
        if self.is_box and self.width * self.height >= GROUND * GROUND:
            return True
        flat = min(self.width, self.height) <= SAME_PLACE
        return flat and self.corners <= LINE and max(self.width, self.height) >= GRID


@dataclass(frozen=True)
class Count:
    """What a figure holds: ``marks`` (dots), ``points`` (corners of lines and areas, bars, and the marks as well)."""

    marks: int = 0
    points: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.marks + other.marks, self.points + other.points)


def count(shapes: Iterable[Shape]) -> Count:
    """Count marks and points among the shapes of one canvas."""
    alike: dict[str, list[Shape]] = defaultdict(list)
    points = 0
    for shape in shapes:
        if shape.is_small:
            alike[shape.look or f"{shape.width:.4f} {shape.height:.4f} {shape.corners}"].append(shape)
        elif not shape.is_scenery:
            points += 1 if shape.is_box or shape.corners <= LINE else shape.corners
    marks = 0
    for group in alike.values():
        if len(group) < ALIKE:
            points += len(group)
        elif not _is_scale(group):
            marks += len(group)
    return Count(marks, points + marks)


def _is_scale(group: Sequence[Shape]) -> bool:
    # Ticks stand on lines along the axes, at even distances; data do not.
    columns, rows = defaultdict(list), defaultdict(list)
    for shape in group:
        columns[round(shape.x / SAME_PLACE)].append(shape.y)
        rows[round(shape.y / SAME_PLACE)].append(shape.x)
    lines = min((columns, rows), key=len)
    return all(_are_even(sorted(places)) for places in lines.values())


def _are_even(places: Sequence[float]) -> bool:
    steps = [after - before for before, after in pairwise(places)]
    if len(steps) < ALIKE - 1:
        return False
    usual = median(steps)
    return usual > 0 and all(abs(step - usual) <= EVEN * usual for step in steps)
