"""R50, R51: no count of people below the policy's minimum, and none that a total gives away.

Counts are the columns named so, the rows named so (as `describe()` prints them), and every cell of a cross table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from enclave.airlock.checks.findings import block, cell_place, mask, warn
from enclave.airlock.checks.numbers import (
    is_count_name,
    is_hidden,
    is_measure_name,
    is_total,
    read_bound,
    read_count,
    read_number,
    read_share,
    words,
)
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

CROSS_COLUMNS = 2
SHOWN_EACH = 20
HEAD_ROWS = 4
WHOLE_WORDS = {"n", "total", "patients", "subjects", "people", "persons", "participants"} | {
    "전체", "총수", "환자수", "대상자수", "명수", "인원",
}  # fmt: skip
PART_WORDS = {"events", "event", "deaths", "cases", "사망", "사망수", "발생", "발생수", "발생건수", "사례수"}


@dataclass(frozen=True)
class Cell:
    """One cell by its row and column in the table's body, both from 0."""

    row: int
    column: int


def check_min_cell(table: Table, min_cell: int) -> list[Finding]:
    """Find small counts, zeros, counts that totals reveal, and small remainders; at most 20 of each kind."""
    cells = count_cells(table)
    found = [*_small(table, cells, min_cell), *_recoverable(table, cells, min_cell), *_rests(table, cells, min_cell)]
    kept: list[Finding] = []
    for rule in dict.fromkeys(finding.rule for finding in found):
        kept += [finding for finding in found if finding.rule == rule][:SHOWN_EACH]
    return kept


def count_cells(table: Table) -> list[Cell]:
    """List the cells that hold counts of people, as far as names and shape tell."""
    named = {index for index, names in enumerate(_heads(table)) if any(map(is_count_name, names))}
    columns = {index for index in named if not _are_shares(table.by_column[index])} | set(_cross_columns(table))
    by_row = {index for index, row in enumerate(table.rows) if row and is_count_name(row[0]) and not is_total(row[0])}
    measured = {index for index, name in enumerate(table.columns) if is_measure_name(name)}
    return [
        Cell(row, column)
        for row in range(len(table.rows))
        for column in range(len(table.columns))
        if column in columns or (row in by_row and column > 0 and column not in measured)
    ]


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
    """Whether any column or row of the table is one of counts."""
    return bool(count_cells(table))


def _cross_columns(table: Table) -> list[int]:
    # A cross table: labels on the left, the rest whole numbers or hidden cells, none of them named as a measure.
    head = _head_rows(table)
    numeric = [index for index in range(len(table.columns)) if _is_whole(table.by_column[index][head:])]
    labels = [index for index in range(len(table.columns)) if index not in numeric]
    usable = [index for index in numeric if not is_measure_name(table.columns[index])]
    if len(usable) < CROSS_COLUMNS or labels not in ([0], [0, 1]) or len(usable) != len(numeric):
        return []
    keys = [tuple(row[index] for index in labels) for row in table.rows[head:]]
    return usable if len(set(keys)) == len(keys) else []


def _are_shares(cells: Iterable[str]) -> bool:
    # A column called "frequency" may hold relative ones.
    numbers = [number for cell in cells if (number := read_number(cell)) is not None]
    return bool(numbers) and max(numbers) <= 1 and any(0 < number < 1 for number in numbers)


def _is_whole(cells: Iterable[str]) -> bool:
    counts = [cell for cell in cells if not is_hidden(cell)]
    return bool(counts) and all((read_count(cell) or 0) >= 0 and read_count(cell) is not None for cell in counts)


def _small(table: Table, cells: list[Cell], min_cell: int) -> Iterator[Finding]:
    for cell in cells:
        text = table.rows[cell.row][cell.column]
        count = read_count(text)
        value = _value(text) if count is None else float(count)
        place = cell_place(cell.row, cell.column, table.columns[cell.column], table=table.label)
        if value is not None and 0 < value < min_cell:
            yield block(
                "cell.small",
                f"빈도가 기준 {min_cell} 미만인 칸입니다. 범주를 합치거나 칸을 가려 다시 제출하세요.",
                f"A count below {min_cell}. Merge categories or suppress the cell, then submit again.",
                place=place,
                sample=mask(text),
            )
        elif value == 0:
            yield warn(
                "cell.zero",
                "빈도 0인 칸입니다. 구조적 0인지 확인이 필요합니다.",
                "A count of zero: is it structural, or does it tell that nobody has this property?",
                place=place,
                sample=mask(text),
            )


def _value(text: str) -> float | None:
    share, bound = read_share(text), read_bound(text)
    if share is not None:
        return float(share)
    # "<3" says one or two; "<10" under a minimum of 10 says no more than the rule itself.
    return float(bound) if bound is not None else read_number(text)


def _recoverable(table: Table, cells: list[Cell], min_cell: int) -> Iterator[Finding]:
    wanted = {(cell.row, cell.column) for cell in cells}
    rows = range(len(table.rows))
    columns = sorted({cell.column for cell in cells})
    grid = {(row, column): table.rows[row][column] for row in rows for column in columns if (row, column) in wanted}
    total_rows = [row for row in rows if table.rows[row] and any(is_total(cell) for cell in table.rows[row][:2])]
    total_columns = [column for column in columns if is_total(table.columns[column])]
    lines = [[(row, column) for row in rows] for column in columns] if len(total_rows) == 1 else []
    lines += [[(row, column) for column in columns] for row in rows] if len(total_columns) == 1 else []
    known: dict[tuple[int, int], int] = {}
    for place, text in grid.items():
        count = read_count(text)
        if count is not None:
            known[place] = count
    totals = {(row, column) for row in total_rows for column in columns}
    side = {(row, column) for row in rows for column in total_columns}
    for place, value in _solve(lines, known, totals, side, frozenset(grid)):
        if 0 < value < min_cell and is_hidden(grid[place]):
            yield block(
                "cell.recoverable",
                f"가린 칸(기준 {min_cell} 미만)을 합계에서 되살릴 수 있습니다. 다른 칸도 가리거나 합계를 빼세요.",
                f"A hidden count below {min_cell} follows from the totals. Hide a second cell or drop the total.",
                place=cell_place(place[0], place[1], table.columns[place[1]], table=table.label),
                sample="***",
            )


def _solve(
    lines: list[list[tuple[int, int]]],
    known: dict[tuple[int, int], int],
    totals: set[tuple[int, int]],
    side: set[tuple[int, int]],
    grid: frozenset[tuple[int, int]],
) -> Iterator[tuple[tuple[int, int], int]]:
    # Fill single gaps of each line from its total until nothing more follows (as a reader with a pencil would).
    moved = True
    while moved:
        moved = False
        for line in lines:
            ends = totals if len({column for _, column in line}) == 1 else side
            gap = _gap([place for place in line if place in grid], known, ends)
            if gap is not None:
                known[gap[0]] = gap[1]
                moved = True
                yield gap


def _gap(
    line: list[tuple[int, int]], known: dict[tuple[int, int], int], ends: set[tuple[int, int]]
) -> tuple[tuple[int, int], int] | None:
    total = [place for place in line if place in ends]
    parts = [place for place in line if place not in ends]
    missing = [place for place in line if place not in known]
    if len(total) != 1 or len(missing) != 1 or len(parts) < CROSS_COLUMNS:
        return None
    whole = sum(known.get(place, 0) for place in parts)
    return missing[0], (whole if missing == total else known[total[0]] - whole)


def _rests(table: Table, cells: list[Cell], min_cell: int) -> Iterator[Finding]:
    # n = 100 and events = 96 say that four had none.
    names = [set(words(name)) for name in table.columns]
    columns = {cell.column for cell in cells}
    wholes = [column for column in columns if names[column] & WHOLE_WORDS and not names[column] & PART_WORDS]
    parts = [column for column in columns if names[column] & PART_WORDS]
    for row, (whole, part) in product(range(len(table.rows)), product(wholes, parts)):
        count, rest = read_count(table.rows[row][whole]), read_count(table.rows[row][part])
        if count is not None and rest is not None and 0 < count - rest < min_cell:
            yield warn(
                "cell.rest",
                f"같은 행의 두 빈도의 차이가 기준 {min_cell} 미만입니다. 나머지 인원이 드러나는지 확인하세요.",
                f"Two counts of this row differ by less than {min_cell}: does the rest become visible?",
                place=cell_place(row, part, table.columns[part], table=table.label),
                sample=mask(table.rows[row][part]),
            )
