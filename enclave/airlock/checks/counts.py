"""Which cells of a table hold counts of people: columns and rows named so, and every cell of a cross table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from enclave.airlock.checks.gaps import is_hidden
from enclave.airlock.checks.numbers import (
    is_count_name,
    is_measure_name,
    is_total,
    read_count,
    read_number,
)
from enclave.airlock.document import Table

CROSS_COLUMNS = 2
HEAD_ROWS = 4
LETTERS = frozenset({"p", "t", "z"})


@dataclass(frozen=True)
class Cell:
    """One cell by its row and column in the table's body, both from 0."""

    row: int
    column: int


def count_cells(table: Table) -> list[Cell]:
    """List the cells that hold counts of people, as far as names and shape tell."""
    named = {index for index, names in enumerate(_heads(table)) if any(map(is_count_name, names))}
    columns = {index for index in named if not _are_shares(table.by_column[index])} | set(_cross_columns(table))
    by_row = {index for index, row in enumerate(table.rows) if row and _is_row_of_counts(row)}
    measured = {index for index, name in enumerate(table.columns) if is_measure_name(name)}
    if _is_described(table):
        measured = set()  # "age" is a variable here, and the row of counts says of how many people
    return [
        Cell(row, column)
        for row in range(len(table.rows))
        for column in range(len(table.columns))
        if column in columns or (row in by_row and column > 0 and column not in measured)
    ]


def _is_row_of_counts(row: tuple[str, ...]) -> bool:
    # "subject   0.412   0.642" is the variance between subjects
    return is_count_name(row[0]) and not is_total(row[0]) and not _are_shares_only(row[1:])


def _are_shares_only(cells: tuple[str, ...]) -> bool:
    numbers = [number for cell in cells if (number := read_number(cell)) is not None]
    return bool(numbers) and all(0 < number < 1 for number in numbers)


def _is_described(table: Table) -> bool:
    # Statistics one below the other, as `describe()` prints them: count, mean, std, 25% …
    labels = [row[0] for row in table.rows if row and not is_count_name(row[0])]
    return len(labels) > 1 and all(map(is_measure_name, labels))


def _heads(table: Table) -> list[tuple[str, ...]]:
    """Return each column's names: its header, and the words below it before the first row with a number.

    A title line, or a second line of headings as pivot tables have, must not hide what a column is.
    """
    return list(zip(table.columns, *table.rows[: _head_rows(table)], strict=True))


def _head_rows(table: Table) -> int:
    for count, row in enumerate(table.rows[: HEAD_ROWS + 1]):
        if any(read_number(cell) is not None or read_count(cell) is not None for cell in row):
            return count if count <= HEAD_ROWS else 0
    return 0


def has_counts(table: Table) -> bool:
    """Whether any column or row of the table is one of counts; ones and noughts (yes, no) of single people are none."""
    counts = (read_count(table.rows[cell.row][cell.column]) for cell in count_cells(table))
    return any(count is not None and count > 1 for count in counts)


def _cross_columns(table: Table) -> list[int]:
    # A cross table: labels on the left, the rest whole numbers or hidden cells, none of them named as a measure.
    head = _head_rows(table)
    numeric = [index for index in range(len(table.columns)) if _is_whole(table.by_column[index][head:])]
    labels = [index for index in range(len(table.columns)) if index not in numeric]
    usable = [index for index in numeric if not is_measure_name(table.columns[index]) or _is_letter(table, index)]
    if len(usable) < CROSS_COLUMNS or labels not in ([0], [0, 1]) or len(usable) != len(numeric):
        return []
    keys = [tuple(row[index] for index in labels) for row in table.rows[head:]]
    return usable if len(set(keys)) == len(keys) else []


def _is_letter(table: Table, column: int) -> bool:
    # "p", "t", "z" over whole numbers are categories: no p value or test statistic is 40.
    counts = (read_count(cell) for cell in table.by_column[column])
    return table.columns[column].strip().casefold() in LETTERS and max((c or 0 for c in counts), default=0) > 1


def _are_shares(cells: Iterable[str]) -> bool:
    # A column called "frequency" may hold relative ones.
    numbers = [number for cell in cells if (number := read_number(cell)) is not None]
    return bool(numbers) and max(numbers) <= 1 and any(0 < number < 1 for number in numbers)


def _is_whole(cells: Iterable[str]) -> bool:
    counts = [cell for cell in cells if not is_hidden(cell)]
    return bool(counts) and all((read_count(cell) or 0) >= 0 and read_count(cell) is not None for cell in counts)
