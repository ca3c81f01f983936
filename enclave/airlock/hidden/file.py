"""From the tables of one file to the one system that a reader of the file has before their eyes."""

from __future__ import annotations

from collections.abc import Sequence

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.numbers import read_number
from enclave.airlock.document import Table
from enclave.airlock.hidden import evidence, linked, margins, shares
from enclave.airlock.hidden.reading import Counts, read_counts
from enclave.airlock.hidden.system import Cell, Equation, Range, System

MOST_LABELS = 4


def system_of(tables: Sequence[Table]) -> System:
    """Return what is known of all counts in these tables, with every total that binds them. Pure.

    Tables without counts add nothing. The tables' places in the sequence are the cells' table numbers.
    """
    read = [(number, table, _counts(table, number)) for number, table in enumerate(tables)]
    counted = [(number, table, counts) for number, table, counts in read if counts.ranges]
    if not any(counts.hidden for _, _, counts in counted):
        return System()
    ranges = {cell: known for _, _, counts in counted for cell, known in counts.ranges.items()}
    hidden = frozenset(cell for _, _, counts in counted for cell in counts.hidden)
    found: list[Equation] = []
    for number, table, counts in counted:
        found += _equations(number, table, counts)
    faces = [_face(number, table, counts) for number, table, counts in counted]
    found += linked.links(faces, ranges)
    narrow: dict[Cell, Range] = {}
    for number, table, counts in counted:
        narrow |= shares.narrowed(table, counts, found, number)
    ranges |= narrow
    usable = [each for each in dict.fromkeys(found) if all(cell in ranges for cell in each.cells)]
    return System(ranges, hidden, tuple(usable), frozenset(narrow))


def _counts(table: Table, number: int) -> Counts:
    return read_counts(table.rows, [(cell.row, cell.column) for cell in count_cells(table)], number)


def _columns(counts: Counts) -> list[int]:
    return sorted({cell.column for cell in counts.ranges})


def _equations(number: int, table: Table, counts: Counts) -> list[Equation]:
    columns = _columns(counts)
    labels = [tuple(row[place] for place in label_columns(table, columns)) for row in table.rows]
    named = margins.equations(labels, table.columns, columns, number)
    return [
        *margins.kept(named, counts.ranges),
        *(each for each in evidence.sums(counts.ranges, len(table.rows), columns, number)),
    ]


def label_columns(table: Table, columns: Sequence[int]) -> list[int]:
    """Return the columns of words to the left of the first count; a leading index of numbers is no label."""
    left = range(min(columns, default=0))
    worded = [
        place for place in left if any(read_number(cell) is None and cell.strip() for cell in table.by_column[place])
    ]
    return worded[:MOST_LABELS] or list(left)[:1]


def _face(number: int, table: Table, counts: Counts) -> linked.Face:
    columns = _columns(counts)
    labels = label_columns(table, columns)
    rows = tuple(" / ".join(row[place].strip() for place in labels) for row in table.rows)
    return linked.Face(
        number, rows, tuple(table.columns[place] for place in columns), tuple(columns), is_cross=len(columns) > 1
    )
