"""R49, R50 in a table of very many rows: the same rules as in a short one, asked of each distinct cell once.

Such a table is stopped in any case, because nobody can solve it for recoverable cells; this says everything else that
is wrong with it, and where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from enclave.airlock.checks.counts import CROSS_COLUMNS, HEAD_ROWS
from enclave.airlock.checks.findings import block, cell_place
from enclave.airlock.checks.gaps import is_hidden
from enclave.airlock.checks.min_cell import SHOWN_EACH, judge_count
from enclave.airlock.checks.numbers import is_count_name, is_measure_name, is_total, read_count, read_number
from enclave.airlock.checks.row_level import PSEUDONYM, are_keys, judge_column, judge_length, unique_key
from enclave.airlock.long_table import LongColumn, LongTable, Mask
from enclave.airlock.report import Finding, Severity
from enclave.airlock.rules import CheckRules

# The first cells mostly tell that a column is no column of counts. Nobody names the rows of a `describe()` in so many
# different ways.
FIRST_CELLS, MANY_LABELS = 1000, 20_000


def check_long_rows(table: LongTable, rules: CheckRules) -> list[Finding]:
    """Find identifier columns, unique keys, small counts; and say that the table is too long."""
    return [*_length(table, rules), *_columns(table, rules), *_small_cells(table, rules.min_cell)]


def _length(table: LongTable, rules: CheckRules) -> Iterator[Finding]:
    yield from judge_length(table.length, rules, table.label)
    if table.length <= rules.max_rows:
        cells = table.length * len(table.columns)
        yield block(
            "parse.size",
            f"칸이 {cells:,}개인 표는 결과표로 점검할 수 없습니다({rules.max_cells:,}개까지). 집계해 제출하세요.",
            f"A table of {cells:,} cells is not checked as one of results ({rules.max_cells:,} allowed). Aggregate it.",
            place=table.label,
        )


def _columns(table: LongTable, rules: CheckRules) -> Iterator[Finding]:
    for index, (name, column) in enumerate(zip(table.columns, table.body, strict=True)):
        place = cell_place(None, index, name, table=table.label)
        values = [value for _, cell in column.cells() if (value := cell.strip())]
        codes = [value for value in values if PSEUDONYM.fullmatch(value)]
        if (found := judge_column(name, values, codes, rules, place)) is not None:
            yield found
        # All cells are different, so they stand in the order of the rows.
        elif len(values) == table.length and are_keys(name, values):
            yield unique_key(table.length, values[0], place)


def _small_cells(table: LongTable, min_cell: int) -> Iterator[Finding]:
    head = table.head(HEAD_ROWS)
    heads = zip(table.columns, *head.rows, strict=True)
    named = {index for index, names in enumerate(heads) if any(map(is_count_name, _words_only(names)))}
    counted = {index for index in named if not _are_shares(table.body[index])} | set(_cross_columns(table))
    in_rows = _rows_of_counts(table.body[0])
    found = list[Finding]()
    for index, name in enumerate(table.columns):
        if index in counted:
            found += _in_column(table, index, np.ones(table.length, dtype=np.bool_), min_cell)
        elif index > 0 and in_rows.any() and not is_measure_name(name):
            found += _in_column(table, index, in_rows, min_cell)
    for severity in Severity:
        yield from [one for one in found if one.severity is severity][:SHOWN_EACH]


def _rows_of_counts(labels: LongColumn) -> Mask:
    if len(labels.values) > MANY_LABELS:
        return np.zeros(len(labels.codes), dtype=np.bool_)
    return labels.of_rows(labels.where(_names_counts))


def _names_counts(cell: str) -> bool:
    # A pseudonym may spell "dead".
    return is_count_name(cell) and not is_total(cell) and PSEUDONYM.fullmatch(cell) is None


def _words_only(names: tuple[str, ...]) -> list[str]:
    return [names[0], *(name for name in names[1:] if read_number(name) is None and read_count(name) is None)]


def _in_column(table: LongTable, index: int, rows: Mask, min_cell: int) -> Iterator[Finding]:
    column = table.body[index]
    judged = {code: one for code, cell in column.cells() if (one := judge_count(cell, min_cell, "")) is not None}
    for severity in Severity:
        mask = np.zeros(len(column.values), dtype=np.bool_)
        mask[[code for code, one in judged.items() if one.severity is severity]] = True
        for row in np.flatnonzero(column.of_rows(mask) & rows)[:SHOWN_EACH].tolist():
            place = cell_place(row, index, table.columns[index], table=table.label)
            yield replace(judged[int(column.codes[row])], place=place)


def _are_shares(column: LongColumn) -> bool:
    numbers = [number for _, cell in column.cells() if (number := read_number(cell)) is not None]
    return bool(numbers) and max(numbers) <= 1 and any(0 < number < 1 for number in numbers)


def _cross_columns(table: LongTable) -> list[int]:
    # Labels in the first one or two columns, whole numbers in all others, none of them named as a measure.
    numeric = [index for index, column in enumerate(table.body) if _is_whole(islice(column.cells(), FIRST_CELLS))]
    labels = [index for index in range(len(table.columns)) if index not in numeric]
    if len(numeric) < CROSS_COLUMNS or labels not in ([0], [0, 1]):
        return []
    if any(is_measure_name(table.columns[i]) or not _is_whole(table.body[i].cells()) for i in numeric):
        return []
    keys = np.stack([table.body[index].codes for index in labels], axis=1)
    return numeric if len(np.unique(keys, axis=0)) == table.length else []


def _is_whole(cells: Iterable[tuple[int, str]]) -> bool:
    seen = False
    for _, cell in cells:
        if is_hidden(cell):
            continue
        count = read_count(cell)
        if count is None or count < 0:
            return False
        seen = True
    return seen
