"""Tables of one file that share margins: what one of them hides the other may show.

Each table offers vectors: a count by label, along a column or summed over its rows. Two vectors that agree on all the
labels where both are shown, and on two at least, are taken to count the same people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from enclave.airlock.checks.numbers import is_total
from enclave.airlock.hidden.system import Cell, Equation, Range

SHARED, MOST_VECTORS = 2, 400
SMALL = 20


@dataclass(frozen=True)
class Face:
    """One table as a face of a cube: ``labels`` of its rows, ``names`` of its count columns, and its cells' numbers."""

    number: int
    labels: tuple[str, ...]
    names: tuple[str, ...]
    columns: tuple[int, ...]
    is_cross: bool


Vector = tuple[int, dict[str, tuple[Cell, ...]]]


def links(faces: Sequence[Face], ranges: dict[Cell, Range]) -> Iterator[Equation]:
    """Yield an equation for each label that two vectors of different tables share."""
    vectors = [vector for face in faces for vector in _vectors(face, ranges)][:MOST_VECTORS]
    for (one, left), (other, right) in combinations(vectors, 2):
        if one == other:
            continue
        shared = [label for label in left if label in right]
        if len(shared) >= SHARED and _agree(left, right, shared, ranges):
            yield from (Equation(left[label], right[label]) for label in shared)


def _vectors(face: Face, ranges: dict[Cell, Range]) -> Iterator[Vector]:
    # Counts by the row's label in each column, and summed over the columns; then the same the other way round.
    rows = list(enumerate(face.labels))
    for column in face.columns:
        yield _vector(face.number, ((label, (Cell(face.number, row, column),)) for row, label in rows), ranges)
    if not face.is_cross:
        return
    parts = [column for column, name in zip(face.columns, face.names, strict=True) if not is_total(name)]
    sums = ((label, tuple(Cell(face.number, row, column) for column in parts)) for row, label in rows)
    yield _vector(face.number, sums, ranges)
    heads = list(zip(face.columns, face.names, strict=True))
    body = [row for row, label in rows if not is_total(label)]
    for row, label in rows:
        if is_total(label):
            yield _vector(face.number, ((name, (Cell(face.number, row, column),)) for column, name in heads), ranges)
    across = ((name, tuple(Cell(face.number, row, column) for row in body)) for column, name in heads)
    yield _vector(face.number, across, ranges)


def _vector(number: int, entries: Iterator[tuple[str, tuple[Cell, ...]]], ranges: dict[Cell, Range]) -> Vector:
    found: dict[str, tuple[Cell, ...]] = {}
    for label, cells in entries:
        key = "total" if is_total(label) else label.strip().casefold()
        if key and key not in found and cells and all(cell in ranges for cell in cells):
            found[key] = cells
    return number, found


def _agree(
    left: dict[str, tuple[Cell, ...]], right: dict[str, tuple[Cell, ...]], shared: list[str], ranges: dict[Cell, Range]
) -> bool:
    equal = set()
    for label in shared:
        one, other = _sum(left[label], ranges), _sum(right[label], ranges)
        if one is None or other is None:
            continue
        if one != other:
            return False
        if one >= SMALL:
            equal.add(one)
    return len(equal) >= SHARED


def _sum(cells: tuple[Cell, ...], ranges: dict[Cell, Range]) -> int | None:
    known = [ranges[cell] for cell in cells]
    return sum(each.low for each in known) if all(each.is_exact for each in known) else None
