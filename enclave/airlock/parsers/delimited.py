"""CSV and TSV (RFC 4180, and what spreadsheets write: semicolons, bars)."""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath

from enclave.airlock.document import Document, Table
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import table_of, too_big
from enclave.airlock.parsers.long_delimited import FIELD_CHARS, broken, read_long, utf8_of
from enclave.airlock.rules import CheckRules

DELIMITERS = ",\t;|"
# Above any of these, distinct cells are kept once (`LongTable`): a hundred megabytes fit into the memory of a check.
LONG_LINES, CELL_BYTES = 10_000, 40


def parse_delimited(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read one table, short or long. Raises `ParseRefused`."""
    delimiter = "\t" if PurePosixPath(name).suffix.lower() == ".tsv" else None
    if len(content) <= CELL_BYTES * rules.max_cells and content.count(b"\n") <= max(LONG_LINES, rules.max_rows):
        text = decode(content)
        rows = _rows(text, rules, delimiter or delimiter_of(text))
        if sum(map(len, rows)) <= rules.max_cells:
            table, notes = table_of(rows, "")
            return Document("table", (table,), text, notes=notes)
    plain = utf8_of(content)
    head = plain[:FIELD_CHARS].decode("utf-8", "ignore")
    table_long, notes = read_long(plain, delimiter or delimiter_of(head), rules)
    return Document("table", notes=notes, long_tables=(table_long,), written=plain)


def read_table(text: str, rules: CheckRules, *, delimiter: str | None = None) -> tuple[Table, tuple[str, ...]]:
    """Read delimited text; short rows are filled and noted (``ragged``). Raises `ParseRefused`."""
    return table_of(_rows(text, rules, delimiter or delimiter_of(text)), "")


def delimiter_of(text: str) -> str:
    """Return the delimiter that stands most often in the first line."""
    head = text.split("\n", 1)[0]
    return max(DELIMITERS, key=head.count) if any(mark in head for mark in DELIMITERS) else ","


def _rows(text: str, rules: CheckRules, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(FIELD_CHARS)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [row for row in lines if row]
    except csv.Error:
        raise broken(lines.line_num) from None
    if max(map(len, rows)) > rules.max_columns:
        raise too_big(rules)
    return rows
