"""From bytes to a `Document`, inside the sealed child: tables from CSV, TSV and JSON, text, pictures.

Hidden tables in text and JSON come out as tables too, so that every check on tables sees them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from enclave.airlock.document import Document, Table
from enclave.airlock.rules import CheckRules

# utf-16 only with its mark; cp949 last: it accepts most Korean bytes and refuses the rest.
ENCODINGS = ("utf-8-sig", "cp949")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",\t;|"
FIELD_CHARS = 1_000_000
BLOCK_LINES = 4
PIPE_LINES = 2  # a header and one row: nobody writes bars between words by chance
JSON_LIST = 20
SPACED = re.compile(r"\s{2,}|\t")
RULE_LINE = re.compile(r"[\s|:+=-]+")


class ParseRefused(Exception):  # noqa: N818 - named for what happened; becomes a finding
    """The bytes do not have the form they claim; ``ko`` and ``en`` say why and what now, without content."""

    def __init__(self, rule: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.rule, self.ko, self.en = rule, ko, en


def parse(content: bytes, name: str, rules: CheckRules) -> Document:
    """Parse a file whose type was already accepted. Raises `ParseRefused`, never leaves anything half parsed."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in {".png", ".jpg", ".jpeg"}:
        return Document("picture", picture=content)
    text = decode(content)
    if not text.strip():
        raise ParseRefused("parse.empty", "파일이 비어 있습니다.", "The file is empty.")
    if ending in {".csv", ".tsv"}:
        table, notes = read_table(text, rules, delimiter="\t" if ending == ".tsv" else None)
        return Document("table", (table,), text, notes=notes)
    if ending == ".json":
        return _json_document(_read_json(text), text, rules)
    return Document("text", tuple(text_tables(text, rules)), text)


def decode(content: bytes) -> str:
    """Decode UTF-8 (with or without mark), UTF-16 with mark, or CP949. Raises `ParseRefused`."""
    encodings = ("utf-16",) if content.startswith(UTF16_MARKS) else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ParseRefused(
        "parse.encoding",
        "글자 인코딩을 알 수 없습니다. UTF-8로 저장해 다시 제출하세요.",
        "The text encoding is unknown. Save it as UTF-8 and submit again.",
    )


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
                raise _too_big(rules)
            if row:
                rows.append(row)
    except csv.Error:
        raise ParseRefused(
            "parse.csv",
            f"CSV {lines.line_num}번째 줄을 읽을 수 없습니다. 따옴표와 구분자를 확인하세요.",
            f"Line {lines.line_num} of the CSV cannot be read. Check quotes and delimiters.",
        ) from None
    return _table(rows, "")


def text_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Find runs of lines that split alike: pipes, tabs, commas, semicolons, or columns of spaces."""
    run: list[list[str]] = []
    start = 0
    lines = [*text.splitlines()[: rules.max_lines], ""]
    for number, line in enumerate(lines):
        if RULE_LINE.fullmatch(line) and run:
            continue  # the rule under a header
        fields = _fields(line, len(run[-1]) if run else 0)
        piped = "|" in lines[start]
        if run and len(fields) == len(run[-1]) + 1 and len(run) == 1:
            run = [["", *run[0]]]  # a printed data frame: its header has no name for the index
        if run and len(fields) != len(run[-1]):
            if len(run) >= (PIPE_LINES if piped else BLOCK_LINES):
                yield _table(run, f"L{start + 1}")[0]
            run = []
        if len(fields) > 1:
            start = start if run else number
            run.append(fields)


def _fields(line: str, wanted: int) -> list[str]:
    if "|" in line.strip("| "):
        return [field.strip() for field in line.strip().strip("|").split("|")]
    choices = [line.split(delimiter) for delimiter in "\t;,"] + [SPACED.split(line.strip())]
    for fields in choices:
        if len(fields) == wanted > 1:
            return [field.strip() for field in fields]
    return [field.strip() for field in max(choices, key=len)]


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(DELIMITERS, key=head.count) if any(mark in head for mark in DELIMITERS) else ","


def _table(rows: Sequence[Sequence[str]], label: str) -> tuple[Table, tuple[str, ...]]:
    width = max(len(row) for row in rows)
    notes = ("ragged",) if any(len(row) != width for row in rows) else ()
    filled = [tuple(row) + ("",) * (width - len(row)) for row in rows]
    if any(_is_number(cell) for cell in filled[0]) and all(_is_number(cell) or not cell.strip() for cell in filled[0]):
        # No header at all: the first row is data and must be checked as such.
        return Table(("",) * width, tuple(filled), label), (*notes, "no-header")
    return Table(filled[0], tuple(filled[1:]), label), notes


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def _read_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise ParseRefused(
            "parse.json",
            "JSON 형식이 아닙니다. 표는 CSV로 제출하세요.",
            "This is not well-formed JSON. Submit tables as CSV.",
        ) from None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # The first of two equal keys would be in the bytes and in nobody's sight.
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _json_document(found: object, text: str, rules: CheckRules) -> Document:
    """Return a table only where everything in the file is in that table; else text, of which every word is read."""
    tables = tuple(_json_tables(found, rules))
    if len(tables) == 1 and tables[0].label == "$":
        return Document("table", tables, text)
    # Written anew, so that no escape (backslash u) hides a digit from the checks or from the reader.
    return Document("text", tables, json.dumps(found, ensure_ascii=False, indent=1))


def _json_tables(found: object, rules: CheckRules, label: str = "$") -> Iterator[Table]:
    if isinstance(found, dict):
        table = _from_columns(found, label)
        if table is not None:
            yield table
            return
        for index, inner in enumerate(found.values()):
            yield from _json_tables(inner, rules, f"{label}.{index + 1}")
    elif isinstance(found, list) and found:
        yield from _from_list(found, rules, label)


def _from_list(found: list[object], rules: CheckRules, label: str) -> Iterator[Table]:
    if all(isinstance(row, dict) for row in found):
        names = list(dict.fromkeys(str(name) for row in found if isinstance(row, dict) for name in row))
        body = [tuple(_cell(row.get(name)) for name in names) for row in found if isinstance(row, dict)]
        _check_size(len(body) * len(names), rules)
        yield Table(tuple(names), tuple(body), label)
        return
    if all(isinstance(row, list) and not any(isinstance(value, dict | list) for value in row) for row in found):
        rows = [[_cell(value) for value in row] for row in found if isinstance(row, list)]
        if any(rows):
            yield _table(rows, label)[0]
            return
    if len(found) >= JSON_LIST:
        yield Table((label,), tuple((_cell(value),) for value in found), label)
    for index, inner in enumerate(found):
        yield from _json_tables(inner, rules, f"{label}[{index}]")


def _from_columns(found: dict[str, object], label: str) -> Table | None:
    # pandas: {"n": {"0": 12, ...}, ...} or {"n": [12, ...], ...}
    keyed = [list(v) for v in found.values() if isinstance(v, dict)]
    if keyed and (len(keyed) != len(found) or any(keys != keyed[0] for keys in keyed)):
        return None
    columns = [list(v.values()) if isinstance(v, dict) else v for v in found.values()]
    lists = [column for column in columns if isinstance(column, list)]
    if not lists or len(lists) != len(columns) or not lists[0] or len({len(column) for column in lists}) != 1:
        return None
    if any(isinstance(value, dict | list) for column in lists for value in column):
        return None
    names = tuple(found)
    if keyed and keyed[0] != [str(number) for number in range(len(keyed[0]))]:
        names, lists = ("", *names), [keyed[0], *lists]  # the index may say who it is about
    body = zip(*([_cell(value) for value in column] for column in lists), strict=True)
    return Table(names, tuple(body), label)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check_size(cells: int, rules: CheckRules) -> None:
    if cells > rules.max_cells:
        raise _too_big(rules)


def _too_big(rules: CheckRules) -> ParseRefused:
    return ParseRefused(
        "parse.size",
        f"표가 너무 큽니다(칸 {rules.max_cells:,}개, 열 {rules.max_columns}개까지). 집계해 제출하세요.",
        f"The table is too large (at most {rules.max_cells:,} cells, {rules.max_columns} columns). Aggregate it.",
    )
