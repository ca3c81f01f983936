"""Repair `regroup`: rows with small counts are merged, bands with their neighbours, others into 기타/other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from enclave.airlock.checks.numbers import is_total, read_number
from enclave.airlock.document import Table
from enclave.airlock.hidden.file import label_columns
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.table import share_places, shown_counts

BAND = re.compile(
    r"\s*(?:[<≤>≥]=?\s*)?(\d{1,4})\s*(?:[-~–]\s*(\d{1,4}))?\s*(세|대|살|년|yrs?|years?)?\s*(?:이상|미만|이하|\+)?\s*"
)
KOREAN = re.compile(r"[가-힣]")
FEWEST_ROWS = 2

Row = tuple[str, ...]


def regroup(table: Table, min_cell: int) -> Table:
    """Merge rows until no count is from 1 to below ``min_cell``; counts are added, other numbers are left blank. Pure.

    Totals stay as they are: nobody is lost by merging. Raises `RepairRefused` without counts, with several label
    columns or hidden cells, or where fewer than two groups would be left.
    """
    counts = shown_counts(table)
    columns = sorted({cell.column for cell in counts})
    labels = label_columns(table, columns)
    if (
        not counts
        or len(labels) != 1
        or any((row, c) not in {(x.row, x.column) for x in counts} for row in range(len(table.rows)) for c in columns)
    ):
        raise RepairRefused(
            "repair.no-groups",
            "범주 열 하나와 빈도 열로 된 표만 합칠 수 있습니다. suppress를 쓰세요.",
            "Only tables of one column of categories and columns of counts can be merged. Use suppress.",
        )
    merger = _Merger(table, labels[0], columns, min_cell)
    return merger.merged()


class _Merger:
    def __init__(self, table: Table, label: int, columns: list[int], min_cell: int) -> None:
        self.table, self.label, self.columns, self.min_cell = table, label, columns, min_cell
        self.counts = shown_counts(table)
        body = [row for row in range(len(table.rows)) if not is_total(table.rows[row][label])]
        self.groups = [[row] for row in body]
        self.ordered = all(BAND.fullmatch(table.rows[row][label]) for row in body)

    def merged(self) -> Table:
        while small := [group for group in self.groups if self._is_small(group)]:
            if len(self.groups) <= FEWEST_ROWS:
                raise RepairRefused(
                    "repair.too-few-groups",
                    "합치면 범주가 하나만 남습니다. suppress를 쓰거나 표를 다시 설계하세요.",
                    "Merging would leave a single category. Use suppress, or design the table anew.",
                )
            self._join(small)
        first = {group[0]: group for group in self.groups}
        inside = {row for group in self.groups for row in group}
        rows = []
        for row, cells in enumerate(self.table.rows):
            if row not in inside:
                rows.append(cells)
            elif row in first:
                rows.append(self._row(first[row]) if len(first[row]) > 1 else cells)
        return replace(self.table, rows=tuple(self._other_last(rows)))

    def _is_small(self, group: Sequence[int]) -> bool:
        return any(0 < self._sum(group, column) < self.min_cell for column in self.columns)

    def _sum(self, group: Sequence[int], column: int) -> int:
        return sum(count for cell, count in self.counts.items() if cell.row in group and cell.column == column)

    def _size(self, group: Sequence[int]) -> int:
        return sum(self._sum(group, column) for column in self.columns)

    def _join(self, small: list[list[int]]) -> None:
        if self.ordered:
            place = self.groups.index(min(small, key=self._size))
            sides = [each for each in (place - 1, place + 1) if 0 <= each < len(self.groups)]
            other = min(sides, key=lambda each: self._size(self.groups[each]))
            low, high = sorted((place, other))
            self.groups[low : high + 1] = [sorted(self.groups[low] + self.groups[high])]
            return
        # All the small ones at once; if that is one alone, or they stay small, the next smallest joins them.
        rest = sorted((group for group in self.groups if group not in small), key=self._size)
        joined = small if len(small) > 1 else [*small, rest[0]]
        self.groups = [group for group in self.groups if group not in joined]
        self.groups.append(sorted(row for group in joined for row in group))

    def _row(self, group: list[int]) -> Row:
        first = self.table.rows[group[0]]
        cells = [
            str(self._sum(group, column))
            if column in self.columns
            else ("" if read_number(cell.rstrip(" %")) is not None else cell)
            for column, cell in enumerate(first)
        ]
        for column in share_places(self.table):
            cells[column] = ""
        cells[self.label] = self._name(group)
        return tuple(cells)

    def _name(self, group: list[int]) -> str:
        names = [self.table.rows[row][self.label].strip() for row in group]
        if self.ordered:
            return _band(names[0], names[-1])
        return "기타" if any(KOREAN.search(name) for name in names) else "other"

    def _other_last(self, rows: list[Row]) -> list[Row]:
        # "Other" stands behind the other categories and before the totals.
        others = [row for row in rows if row[self.label] in {"기타", "other"}]
        body = [row for row in rows if row not in others]
        end = max((place + 1 for place, row in enumerate(body) if not is_total(row[self.label])), default=0)
        return [*body[:end], *others, *body[end:]]


def _band(first: str, last: str) -> str:
    low, high = BAND.fullmatch(first), BAND.fullmatch(last)
    if low is None or high is None or not high[2]:
        return f"{first}–{last}"
    return f"{low[1]}-{high[2]}{high[3] or ''}"
