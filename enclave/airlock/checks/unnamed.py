"""Numbers that may be counts though nothing says so: whole numbers in a column without a name, or in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.checks.counts import has_counts
from enclave.airlock.checks.findings import cell_place, line_place, warn
from enclave.airlock.checks.numbers import is_measure_name, read_count, read_number
from enclave.airlock.document import Document, Table
from enclave.airlock.report import Finding

FEWEST_ROWS, MOST_ROWS, FAR, SHOWN_EACH = 3, 200, 5, 10
IN_WORDS = re.compile(
    r"(?i)(?<![\d.,–-])(\d)\s+(?:\w+\s+)?(?:patients?|subjects?|persons?|people|participants?|cases?|deaths?|women|men|events?)\b"
    r"|(?<![\d.,])(\d)\s*(?:명|건|례)(?![\d월])|\bn\s*=\s*(\d)(?![\d,.])"
)


def check_unnamed(table: Table, min_cell: int) -> list[Finding]:
    """Point at whole numbers below ``min_cell`` beside much larger ones in a column whose name says nothing."""
    if not FEWEST_ROWS <= len(table.rows) <= MOST_ROWS or has_counts(table):
        return []
    return list(_columns(table, min_cell))


def check_prose(document: Document, min_cell: int) -> list[Finding]:
    """Point at numbers of people below ``min_cell`` in sentences."""
    lines = document.text.splitlines() if document.is_prose else []
    found = [line for line, text in enumerate(lines) if "|" not in text and _is_few(text, min_cell)]
    return [
        warn(
            "cell.prose",
            f"글에 기준 {min_cell}명 미만의 인원이 적혀 있습니다. 필요한지 확인하고 범위로 바꾸세요.",
            f"A sentence tells of fewer than {min_cell} people. Is it needed? Say a range instead.",
            place=line_place(line),
        )
        for line in found[:SHOWN_EACH]
    ]


def _columns(table: Table, min_cell: int) -> Iterator[Finding]:
    labels = [
        column for column in range(len(table.columns)) if all(read_number(c) is None for c in table.by_column[column])
    ]
    if not labels:
        return
    for column, name in enumerate(table.columns):
        counts = [read_count(cell) for cell in table.by_column[column]]
        shown = [count for count in counts if count is not None and count >= 0]
        if len(shown) < len(counts) or is_measure_name(name):
            continue
        # A score or a rank stays within bounds; counts of groups differ many times over.
        if any(0 < count < min_cell for count in shown) and max(shown) >= FAR * min_cell:
            yield warn(
                "cell.unnamed",
                f"정수 열에 {min_cell} 미만인 값이 있습니다. 빈도라면 가리고, 아니면 열 이름으로 밝히세요.",
                f"Whole numbers below {min_cell} in a column whose name says nothing. If they are counts, hide them.",
                place=cell_place(None, column, name, table=table.label),
            )


def _is_few(text: str, min_cell: int) -> bool:
    values = (int(next(digit for digit in found.groups() if digit)) for found in IN_WORDS.finditer(text))
    return any(0 < value < min_cell for value in values)
