"""CSV and TSV (RFC 4180, and what spreadsheets write: semicolons, bars)."""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath

from enclave.airlock.document import Document, Table
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import table_of, too_big
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules

DELIMITERS = ",\t;|"
FIELD_CHARS = 1_000_000


def parse_delimited(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read one table. Raises `ParseRefused`."""
    text = decode(content)
    delimiter = "\t" if PurePosixPath(name).suffix.lower() == ".tsv" else None
    table, notes = read_table(text, rules, delimiter=delimiter)
    return Document("table", (table,), text, notes=notes)


def read_table(text: str, rules: CheckRules, *, delimiter: str | None = None) -> tuple[Table, tuple[str, ...]]:
    """Read delimited text; short rows are filled and noted (``ragged``). Raises `ParseRefused`."""
    csv.field_size_limit(FIELD_CHARS)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), strict=True)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in lines:
            cells += len(row)
            if cells > rules.max_cells or len(row) > rules.max_columns:
                raise too_big(rules)
            if row:
                rows.append(row)
    except csv.Error:
        raise ParseRefused(
            "parse.csv",
            f"CSV {lines.line_num}번째 줄을 읽을 수 없습니다. 따옴표와 구분자를 확인하세요.",
            f"Line {lines.line_num} of the CSV cannot be read. Check quotes and delimiters.",
        ) from None
    return table_of(rows, "")


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(DELIMITERS, key=head.count) if any(mark in head for mark in DELIMITERS) else ","
