"""A first look at a source that no recipe describes yet: how it is read, and the first rows as text.

What is read here is profiled and thrown away; the run reads the source through `readers/`, which check all of it. CSV
is looked at more closely than `readers/peek.py` does: which encoding it is in is told by the whole file.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

import polars as pl

from deid.errors import SourceError
from deid.planning.header import CSV, check_is_header, check_names, check_title
from deid.readers import peek as readers
from deid.readers.peeked import PeekedTable, table_of
from deid.recipe_source import SEPARATORS, Address, Origin, assumed_format
from deid.schemas.kinds import Kind

ROWS = 100_000
CHUNK = 1 << 20
# Lines at the top among which a title is looked for.
TOP = 30


@dataclass(frozen=True)
class Peek:
    """The first rows of a table, all text, empty fields null; `whole` says whether these are all rows.

    `known` says what columns identify by, where the table's schema tells.
    """

    name: str
    origin: Origin
    frame: pl.DataFrame
    whole: bool
    known: Mapping[str, Kind]


def peek(path: Path, *, rows: int = ROWS) -> list[Peek]:
    """Read up to `rows` rows of every table in a file. Raises `SourceError` for what cannot be read, or is empty."""
    if assumed_format(path.name) == "csv":
        return [_peek_csv(path, rows)]
    shown = [table for table in readers.peek(path, rows=rows) if table.head.height and not table.origin.hidden]
    if not shown:
        fix = ("자료가 든 표나 보이는 시트가 있는지 확인하세요.", "Check that a table or visible sheet has rows.")
        raise SourceError((path.name, 0, -1), "empty", ("자료 행이 없습니다.", "has no data rows."), remedy=fix)
    for table in shown:
        if table.origin.format == "xlsx":
            check_names(f"{path.name}[{table.origin.sheet}]", table.head.columns)
            check_is_header(f"{path.name}[{table.origin.sheet}]", table.head)
    return [_of(table, whole=table.head.height < rows) for table in shown]


def peek_tables(address: Address, names: Collection[str] = (), *, rows: int = ROWS) -> list[Peek]:
    """Read up to `rows` rows of a database's tables (all of its default schema if none is named).

    Raises `SourceError`, also where there are none with rows, and `KeyFileError`.
    """
    looked = readers.peek_database(address, names=names, rows=rows)
    shown = [table for table in looked if table.head.height]
    if not shown:
        _refuse(Path(address.env or address.key), "empty", ("자료가 든 표가 없습니다.", "has no table with rows."))
    return [_of(table, whole=table.head.height < rows) for table in shown]


def _of(table: PeekedTable, *, whole: bool) -> Peek:
    known = {column.name: column.known for column in table.columns if column.known is not None}
    return Peek(table.name, table.origin, table.head, whole, known)


def _peek_csv(path: Path, rows: int) -> Peek:
    encoding = encoding_of(path)
    with _text(path, encoding) as file:
        first = file.readline()
        file.seek(0)
        separator = max(SEPARATORS.values(), key=first.count)
        reader = csv.reader(file, delimiter=separator)
        header = next(reader, [])
        try:
            read = list(islice(reader, rows + 1))
        except csv.Error:
            _refuse(path, "broken", ("CSV로 읽을 수 없습니다.", "cannot be read as CSV."))
    check_title(path.name, read[:TOP], len(header))
    check_names(path.name, header)
    short = next((number for number, row in enumerate(read, 2) if row and len(row) != len(header)), 0)
    if short:
        _refuse(path, "broken-fields", ("칸 수가 머리글과 다릅니다.", "the number of fields differs."), line=short)
    kept = [row for row in read[:rows] if row]
    if not kept:
        _refuse(path, "empty", ("자료 행이 없습니다.", "has no data rows."))
    columns = {name: [row[at] or None for row in kept] for at, name in enumerate(header)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))
    origin = Origin("csv", path.name, encoding=encoding, separator=separator)
    check_is_header(path.name, frame)
    return _of(table_of(path.stem, origin, frame), whole=len(read) <= rows)


def encoding_of(path: Path) -> str:
    """Tell UTF-8 (with or without mark) from CP949 by reading all of it. Raises `SourceError` if it is neither."""
    try:
        with path.open("rb") as file:
            first = file.read(len(codecs.BOM_UTF8))
    except OSError as error:
        en = f"cannot be opened ({error.strerror})."
        _refuse(path, "missing", ("열 수 없습니다.", en))
    candidates = ("utf-8-sig",) if first == codecs.BOM_UTF8 else ("utf-8", "cp949")
    for encoding in candidates:
        if _decodes(path, encoding):
            return encoding
    if first[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        both = ("UTF-16(엑셀의 ‘유니코드 텍스트’)입니다.", "is UTF-16 (a spreadsheet's ‘Unicode text’).")
        fix = ("‘CSV UTF-8’로 저장해 다시 주세요.", "Save it as ‘CSV UTF-8’ and try again.")
        raise SourceError((path.name, 0, -1), "encoding", both, remedy=fix)
    raise _refused(path, "encoding", ("UTF-8도 CP949도 아닙니다.", "is neither UTF-8 nor CP949."))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[TextIO]:
    with path.open(encoding=encoding, newline="") as file:
        yield file


def _refuse(path: Path, code: str, message: tuple[str, str], *, line: int = 0) -> NoReturn:
    raise _refused(path, code, message, line=line)


def _refused(path: Path, code: str, message: tuple[str, str], *, line: int = 0) -> SourceError:
    return SourceError((path.name, line, -1), code, message, remedy=CSV)
