"""R50: no count of people below the policy's minimum. What totals give away is `checks.recoverable`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from enclave.airlock.checks.counts import Cell, count_cells
from enclave.airlock.checks.findings import block, cell_place, mask, warn
from enclave.airlock.checks.gaps import read_bound
from enclave.airlock.checks.numbers import read_count, read_number, read_share, words
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

SHOWN_EACH = 20
WHOLE_WORDS = {"n", "total", "patients", "subjects", "people", "persons", "participants"} | {
    "전체", "총수", "환자수", "대상자수", "명수", "인원",
}  # fmt: skip
PART_WORDS = {"events", "event", "deaths", "cases", "survivors", "survived", "alive", "completed", "responders"} | {
    "사망", "사망수", "사망자", "사망자수", "발생", "발생수", "발생건수", "사례수",
    "생존", "생존수", "생존자", "생존자수", "완료", "완료자수",
}  # fmt: skip
IN_HEAD = re.compile(r"(?i)\bn\s*=\s*(\d{1,3}(?:,\d{3})+|\d+)(?![\d.])")


def check_min_cell(table: Table, min_cell: int) -> list[Finding]:
    """Find small counts, zeros, and small remainders; at most 20 of each kind."""
    cells = count_cells(table)
    found = [*_heads(table, min_cell), *_small(table, cells, min_cell), *_rests(table, cells, min_cell)]
    kept: list[Finding] = []
    for rule in dict.fromkeys(finding.rule for finding in found):
        kept += [finding for finding in found if finding.rule == rule][:SHOWN_EACH]
    return kept


def _heads(table: Table, min_cell: int) -> Iterator[Finding]:
    # "Drug B (N = 6)" over a column of means and shares
    for column, name in enumerate(table.columns):
        if (said := IN_HEAD.search(name)) and 0 < int(said[1].replace(",", "")) < min_cell:
            finding = judge_count(said[1], min_cell, cell_place(None, column, table=table.label))
            yield from (finding,) if finding else ()


def _small(table: Table, cells: list[Cell], min_cell: int) -> Iterator[Finding]:
    for cell in cells:
        place = cell_place(cell.row, cell.column, table.columns[cell.column], table=table.label)
        text = table.rows[cell.row][cell.column]
        if not _is_repeated_share(text, table.rows[cell.row]) and (found := judge_count(text, min_cell, place)):
            yield found


def _is_repeated_share(text: str, row: tuple[str, ...]) -> bool:
    # The accuracy of a report on a classifier stands in each of its columns, that of counts included.
    number = read_number(text)
    return number is not None and 0 < number < 1 and row.count(text) > 1


def judge_count(text: str, min_cell: int, place: str) -> Finding | None:
    """Judge one cell that holds a count: too small, zero, or neither."""
    count = read_count(text)
    value = _value(text) if count is None else float(count)
    if value is not None and 0 < value < min_cell:
        return block(
            "cell.small",
            f"빈도가 기준 {min_cell} 미만인 칸입니다. 범주를 합치거나 칸을 가려 다시 제출하세요.",
            f"A count below {min_cell}. Merge categories or suppress the cell, then submit again.",
            place=place,
            sample=mask(text),
        )
    if value == 0:
        return warn(
            "cell.zero",
            "빈도 0인 칸입니다. 구조적 0인지 확인이 필요합니다.",
            "A count of zero: is it structural, or does it tell that nobody has this property?",
            place=place,
            sample=mask(text),
        )
    return None


def _value(text: str) -> float | None:
    share, bound = read_share(text), read_bound(text)
    if share is not None:
        return float(share)
    # "<3" says one or two; "<10" under a minimum of 10 says no more than the rule itself.
    return float(bound) if bound is not None else read_number(text)


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
