"""Which hidden cells of a table its totals give back, alone or as a sum, so that the ledger knows them as if shown.

A line is a row or a column with its total. Whatever a line leaves open is known as a sum; where one only is open, it is
known itself, and then the line that crosses there may leave only one open too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pyroaring import BitMap

from enclave.airlock.recompute.layout import Grouped

Place = tuple[int, int]


@dataclass(frozen=True)
class Sum:
    """Hidden cells of one line together: of a row (``place`` None) or of a column (``row`` None).

    ``smallest``: how many people the smallest of them has.
    """

    row: int | None
    place: int | None
    people: BitMap
    smallest: int


@dataclass(frozen=True)
class Known:
    """What a table tells: cells that are shown or follow by subtraction, by row and place across; sums of others."""

    cells: Mapping[Place, BitMap]
    sums: tuple[Sum, ...]


@dataclass(frozen=True)
class _Line:
    row: int | None
    place: int | None
    parts: tuple[Place, ...]
    total: Place


def derived(people: Mapping[Place, BitMap], hidden: AbstractSet[Place], grouped: Grouped) -> Known:
    """Return what is known of one measure's cells where those of ``hidden`` show no number."""
    lines = list(_lines(grouped)) if grouped.recipe.margins and hidden else []
    open_ = set(hidden)  # also where nobody is: a reader cannot tell, and it protects the others
    while alone := {left[0] for line in lines if len(left := _open(line, open_)) == 1}:
        open_ -= alone
    sums = [
        Sum(line.row, line.place, BitMap.union(*(people[at] for at in left)), min(len(people[at]) for at in left))
        for line in lines
        if (left := _open(line, open_)) and line.total not in open_
    ]
    return Known({at: members for at, members in people.items() if at not in open_}, tuple(sums))


def _lines(grouped: Grouped) -> Iterator[_Line]:
    height, width = len(grouped.groups.sides), len(grouped.groups.heads)
    across = bool(grouped.recipe.columns)
    for place in range(width + across):
        yield _Line(None, place, tuple((row, place) for row in range(height)), (height, place))
    for row in range(height + 1) if across else ():
        yield _Line(row, None, tuple((row, place) for place in range(width)), (row, width))


def _open(line: _Line, open_: AbstractSet[Place]) -> list[Place]:
    return [at for at in (*line.parts, line.total) if at in open_]
