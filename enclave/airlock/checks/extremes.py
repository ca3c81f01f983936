"""R54: values that belong to one person: least and greatest, and exact percentiles of few people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.findings import cell_place, line_place, warn
from enclave.airlock.checks.numbers import read_count, read_number, words
from enclave.airlock.document import Document, Table
from enclave.airlock.report import Finding

FEW, SHOWN_EACH, MOST_LABEL = 20, 5, 40
ENDS = frozenset({
    "min", "max", "minimum", "maximum", "lowest", "highest", "smallest", "largest", "oldest", "youngest",
    "최소", "최대", "최솟값", "최댓값", "최소값", "최대값", "최저", "최고", "최고령", "최연소",
})  # fmt: skip
ENDS_PHRASE = re.compile(r"(?i)\brange\b|범위|\bmin\s*[-–~/]\s*max\b")
# Age 30-39 is a category, "4-9 weeks" is a name; a range in cells stands alone or in brackets behind a mean or median.
PERCENTILES = re.compile(
    r"(?i)^(?:p\d{1,2}(?:\.\d+)?|q[1-3]|(?:\d{1,2}(?:\.\d+)?\s*(?:%|th|st|nd|rd))(?:\s*percentile)?|median|percentile"
    r"|quantile|iqr|중앙값|중위수|백분위수?|사분위수?|제?\d{1,2}\s*백분위수?)$"
)
LINE_ENDS = re.compile(
    r"(?i)\b(?:min(?:imum)?|max(?:imum)?|oldest|youngest)\b\s*[:=]?\s*-?\d|(?:최솟값|최댓값|최소값|최대값|최고령|최연소)\D{0,6}\d"
    r"|(?<!interquartile )\brang(?:e|ed|es|ing)\b[^.;\d]{0,20}\d+(?:\.\d+)?\s*(?:[-–~]|to\b|and\b)\s*\d"
    r"|\b(?:min(?:imum)?|max(?:imum)?|whislo|whishi|fliers|outliers)\"\s*:\s*\[?\s*-?\d|범위\s*[:(]?\s*\d+(?:\.\d+)?\s*[-–~]\s*\d"
)


def check_extremes(document: Document) -> list[Finding]:
    """Point at extremes, and at percentiles of fewer than 20 people; at most five of each in a table."""
    found: list[Finding] = []
    for table in document.tables:
        found += list(_ends(table))[:SHOWN_EACH]
        found += list(_percentiles(table))[:SHOWN_EACH]
    if document.is_prose:
        found += [_end(line_place(n)) for n, line in enumerate(document.text.splitlines()) if LINE_ENDS.search(line)][
            :SHOWN_EACH
        ]
    return found


def _ends(table: Table) -> Iterator[Finding]:
    for column, name in enumerate(table.columns):
        if (_is_end(name) or ENDS_PHRASE.search(name)) and _has_numbers(table.by_column[column]):
            yield _end(cell_place(None, column, name, table=table.label))
    for row, cells in enumerate(table.rows):
        label = next((cell for cell in cells if cell.strip()), "")
        if len(label) <= MOST_LABEL and (_is_end(label) or ENDS_PHRASE.search(label)) and _has_numbers(cells[1:]):
            yield _end(cell_place(row, 0, table.columns[0], table=table.label))


def _has_numbers(cells: tuple[str, ...]) -> bool:
    return any(mark.isdigit() for cell in cells for mark in cell)


def _is_end(name: str) -> bool:
    found = words(name)
    return bool(ENDS & set(found)) and len(found) <= 3  # noqa: PLR2004 - "max HR (bpm)", not a sentence


def _percentiles(table: Table) -> Iterator[Finding]:
    columns = [place for place, name in enumerate(table.columns) if PERCENTILES.match(name.strip())]
    counted = {cell.row: cell for cell in count_cells(table)} if columns else {}
    for row, cell in counted.items():
        count = read_count(table.rows[row][cell.column])
        if (
            count is not None
            and 0 < count < FEW
            and any(read_number(table.rows[row][place]) is not None for place in columns)
        ):
            yield _percentile(cell_place(row, columns[0], table.columns[columns[0]], table=table.label))
    yield from _described(table)


def _described(table: Table) -> Iterator[Finding]:
    # As `describe()` prints it: a row of counts, then rows 25%, 50%, 75%.
    by_label = {row[0].strip().casefold(): row for row in table.rows if row}
    counts = next((by_label[name] for name in ("count", "n", "건수", "명수", "대상자수") if name in by_label), None)
    if counts is None or not any(PERCENTILES.match(label) for label in by_label):
        return
    for column, cell in enumerate(counts[1:], start=1):
        count = read_count(cell)
        if count is not None and 0 < count < FEW:
            yield _percentile(cell_place(None, column, table.columns[column], table=table.label))


def _end(place: str) -> Finding:
    return warn(
        "value.extreme",
        "최솟값·최댓값은 한 사람의 값입니다. 꼭 필요한지, 백분위수로 바꿀 수 있는지 확인하세요.",
        "A least or greatest value belongs to one person. Is it needed, or would a percentile do?",
        place=place,
    )


def _percentile(place: str) -> Finding:
    return warn(
        "value.percentile",
        f"{FEW}명 미만에서 구한 백분위수는 한 사람의 값일 수 있습니다. 반올림하거나 빼세요.",
        f"A percentile of fewer than {FEW} people may be one person's value. Round it or leave it out.",
        place=place,
    )
