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
from deid.readers import peek as readers
from deid.readers.peeked import PeekedTable, table_of
from deid.recipe_source import SEPARATORS, Address, Origin, assumed_format
from deid.schemas.kinds import Kind

ROWS = 100_000
CHUNK = 1 << 20


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
        _refuse(path, "empty", ("자료 행이 없습니다.", "has no data rows."))
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
        header = _header(path, next(reader, []))
        try:
            read = list(islice(reader, rows + 1))
        except csv.Error:
            _refuse(path, "broken", ("CSV로 읽을 수 없습니다.", "cannot be read as CSV."))
    short = next((number for number, row in enumerate(read, 2) if row and len(row) != len(header)), 0)
    if short:
        _refuse(path, "broken-fields", ("칸 수가 머리글과 다릅니다.", "the number of fields differs."), line=short)
    kept = [row for row in read[:rows] if row]
    if not kept:
        _refuse(path, "empty", ("자료 행이 없습니다.", "has no data rows."))
    columns = {name: [row[at] or None for row in kept] for at, name in enumerate(header)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))
    origin = Origin("csv", path.name, encoding=encoding, separator=separator)
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


def _header(path: Path, names: list[str]) -> list[str]:
    if not names or "" in names or len(set(names)) != len(names):
        _refuse(
            path, "header", ("머리글이 없거나 비었거나 겹칩니다.", "the header is missing, empty or repeats."), line=1
        )
    return names


def _refuse(path: Path, code: str, message: tuple[str, str], *, line: int = 0) -> NoReturn:
    raise _refused(path, code, message, line=line)


def _refused(path: Path, code: str, message: tuple[str, str], *, line: int = 0) -> SourceError:
    fix = (
        "머리글이 있는 CSV(UTF-8 또는 CP949) 파일인지 확인하고 원본에서 다시 내보내세요.",
        "Check that it is a CSV file with a header (UTF-8 or CP949), and export it again.",
    )
    return SourceError((path.name, line, -1), code, message, remedy=fix)
