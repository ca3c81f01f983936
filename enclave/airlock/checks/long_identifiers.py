"""R55 in a table of very many rows: distinct cells once, and the recognisers only where something may be.

The recognisers read some 100,000 characters a second, a table has 100,000,000. So each column's first and some of its
other cells are scanned as they are, of the rest those that have the form of an identifier (`SUSPECT`). What is still
too much to scan is itself a finding, and stops the file: nothing is skipped silently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from enclave.airlock.checks.findings import block, cell_place, mask
from enclave.airlock.checks.identifiers import (
    HALF_RRN,
    RESULT,
    SHOWN_EACH,
    SPLIT_PHONE,
    Hit,
    findings_of,
    hit,
    in_short,
    scan_cell,
    stops,
)
from enclave.airlock.checks.row_level import PSEUDONYM
from enclave.airlock.long_table import LongColumn, LongTable
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

SAMPLED = 400
SCANNED_CHARS = 1_000_000
# An ISO date or time alone in its cell: some are scanned, for the name of the column decides what they are.
ISO_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
# What any identifier in Latin letters and digits has: many digits, an at sign, two words, a web or network address,
# a letter with many digits, an age of ninety. What is not ASCII is always suspect.
SUSPECT = re.compile(
    r"[^\x00-\x7f]|@|\(at\)|\[at\]|://|www\.|\.(?:com|net|org|kr|io|me)\b|(?:[0-9A-Fa-f]{1,4}[:-]){3}"
    r"|(?:\d{1,3}\.){3}\d|(?:18|19|20)\d\d[-./]\d{1,2}[-./]\d"
    r"|\d(?:[\s.,·/-]{0,3}\d){7}|[A-Za-z]{2,}[ ,.-]{1,2}[A-Z]|\b[A-Z]{1,4}[ -]{0,3}\d{5}"
    r"|\b[A-Za-z]{1,4}\d{2,8}[ ]?-[ ]?\d{3}"
    r"|\b(?:9\d|1[0-4]\d)[ ]?(?:yo?\b|y/o|y\.o|yrs?\b|years?|/|M\b|F\b)|[MF][ /]+9\d"
)  # fmt: skip
# Where a column is full of doubtful kinds, only what is beyond doubt is still looked for.
SURE_KINDS = frozenset({"RRN", "FRN", "PHONE", "EMAIL", "CARD", "NAME"})
SURE = re.compile(r"@|01[016789]\D{0,3}\d{3,4}\D{0,3}\d{4}|\d{6}\D{0,3}[1-8]\d{6}|[^\x00-\x7f]")
# Digits alone: of their eight and more, a telephone or resident number, a card, or a date written solid.
PLAIN_DIGITS = re.compile(r"\d{8,}")
DIGITS_SUSPECT = re.compile(
    r"0\d{8,11}|\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{7}|\d{14,19}|(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d"
)


def check_long_identifiers(table: LongTable, rules: CheckRules) -> list[Finding]:
    """Scan column names, cells, and numbers split over neighbouring cells."""
    search = _Search(table, min(SCANNED_CHARS, rules.max_scan_chars))
    found = findings_of([*search.in_columns(), *_split(table)])
    if search.left_out:
        found.append(
            block(
                "id.too-much-text",
                f"식별정보를 찾기에는 글이 너무 많습니다({search.left_out:,}칸을 읽지 못함). 집계해 제출하세요.",
                f"Too much text to look for identifiers ({search.left_out:,} cells were not read). Aggregate it.",
                place=table.label,
            )
        )
    return found


class _Search:
    """One pass over a table with a bounded number of characters for the recognisers."""

    def __init__(self, table: LongTable, budget: int) -> None:
        self.table, self.left, self.left_out = table, budget, 0

    def in_columns(self) -> Iterator[Hit]:
        for index, name in enumerate(self.table.columns):
            yield from in_short(name, cell_place(None, index, table=self.table.label))
            # A column leaves to those behind it what it did not need.
            yield from self._in_column(index, name, self.left // (len(self.table.columns) - index))

    def _in_column(self, index: int, name: str, allowed: int) -> Iterator[Hit]:
        shown: Counter[str] = Counter()
        for code, cell in _suspects(self.table.body[index]):
            full = {kind for kind, count in shown.items() if count >= SHOWN_EACH}
            if full & SURE_KINDS:
                return  # stopped twenty times over
            if full and not SURE.search(cell):
                continue
            if len(cell) > allowed:
                self.left_out += 1
                continue
            allowed -= len(cell)
            self.left -= len(cell)
            for found in scan_cell(name, cell):
                place = cell_place(self.table.body[index].first_row(code), index, name, table=self.table.label)
                one = hit(found, place, cell)
                shown[found.type] += stops(one)
                yield one


def _suspects(column: LongColumn) -> Iterator[tuple[int, str]]:
    step = max(1, len(column.values) // (SAMPLED // 2))
    dates = 0
    for code, cell in column.cells():
        if not cell or RESULT.fullmatch(cell):
            continue
        if ISO_DATE.fullmatch(cell):
            dates += 1
            if dates <= SHOWN_EACH:
                yield code, cell
        elif PSEUDONYM.fullmatch(cell):
            continue  # a finding of its own
        elif code < SAMPLED // 2 or code % step == 0 or _is_suspect(cell):
            yield code, cell


def _is_suspect(cell: str) -> bool:
    if PLAIN_DIGITS.fullmatch(cell):
        return DIGITS_SUSPECT.fullmatch(cell) is not None
    return SUSPECT.search(cell) is not None


def _split(table: LongTable) -> Iterator[Hit]:
    halves = [[column.matching(pattern.pattern) for column in table.body] for pattern in HALF_RRN]
    for index in range(len(table.columns) - 1):
        both = halves[0][index] & halves[1][index + 1]
        # Two columns of numbers meet by chance now and then; a split identifier does in most rows.
        if 2 * int(both.sum()) > table.length:
            yield _split_hit(table, "RRN", int(np.argmax(both)), index)
    thirds = [[column.matching(pattern.pattern) for column in table.body] for pattern in SPLIT_PHONE]
    for index in range(len(table.columns) - 2):
        rows = np.flatnonzero(thirds[0][index] & thirds[1][index + 1] & thirds[2][index + 2])
        yield from (_split_hit(table, "PHONE", row, index) for row in rows[:SHOWN_EACH].tolist())


def _split_hit(table: LongTable, kind: str, row: int, index: int) -> Hit:
    return Hit(kind, 0.9, cell_place(row, index, table=table.label), mask(table.body[index].cell(row)))
