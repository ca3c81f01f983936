"""A look at a source before there is a recipe: its tables, columns, guessed types and first rows as text.

For the planner. Nothing here is checked as a run checks it; encodings and types are guesses from the beginning.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from deid.errors import SourceError
from deid.readers.connection import connect, quiet, url_of
from deid.readers.database import selectable
from deid.readers.parquet_file import check_magic, decoding
from deid.readers.peek_fhir import HERE, peek_fhir
from deid.readers.peeked import PeekedTable, table_of
from deid.readers.refuse import MEND_ROW, check_names, refuse
from deid.readers.regular import by_descriptor, open_regular
from deid.readers.spelling import ISO_DATE, UnspellableError, as_text, spell
from deid.readers.workbook import body, check_package, header_of, opened, reading, sheet_rows, text_of
from deid.recipe_source import FORMATS, SEPARATORS, Address, Origin, assumed_format

ROWS = 1000
HEAD_BYTES = 4 << 20
# Rows among which a sheet's header is looked for, and how full it is beside the fullest of them.
TOP, FULL = 30, 0.8


def peek_database(address: Address, *, names: Collection[str] = (), rows: int = ROWS) -> list[PeekedTable]:
    """Look at up to `rows` rows of tables or views by name (`schema.name`); without names at all of the default schema.

    Time stamps are shown as their day, where a Korean hospital counts it. Raises `SourceError`, `KeyFileError`.
    """
    place = address.env or Path(address.key).name
    with connect(place, url_of(place, address)) as connection:
        with quiet(place):
            inspector = sa.inspect(connection)
            wanted = names or sorted({*inspector.get_table_names(), *inspector.get_view_names()})
        return [_peek_rows(connection, Origin("sql", name, database=address, table=name), rows) for name in wanted]


def _peek_rows(connection: sa.Connection, origin: Origin, rows: int) -> PeekedTable:
    wanted = sa.select(sa.text("*")).select_from(selectable(origin)).limit(rows)
    with quiet(origin.table):
        result: sa.CursorResult[Any] = connection.execute(wanted)
        with result:
            header, read = tuple(result.keys()), result.all()
    nested: set[str] = set()
    records = [[_spelled(value, name, nested) for name, value in zip(header, row, strict=True)] for row in read]
    columns = {name: [record[at] for record in records] for at, name in enumerate(header)}
    head = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    if any(isinstance(value, datetime) and value.tzinfo is not None for row in read for value in row):
        origin = replace(origin, timezone=HERE)
    return table_of(origin.table.rpartition(".")[2], origin, head, sorted(nested))


def _spelled(value: object, column: str, nested: set[str]) -> str | None:
    try:
        # As the reader gives a time stamp to a column that is read as a date.
        return spell(value, ISO_DATE if isinstance(value, datetime) else None, HERE) or None
    except UnspellableError:
        nested.add(column)
        return None


def peek(where: Path, *, rows: int = ROWS) -> list[PeekedTable]:
    """Look at a file, or at every file of a known format in a folder (by name), up to `rows` rows each.

    Raises `SourceError` for what cannot be read at all. Databases: `peek_database`.
    """
    if where.is_dir():
        endings = {ending for _, endings in FORMATS.values() for ending in endings}
        files = sorted(path for path in where.iterdir() if path.suffix.lower() in endings and path.is_file())
        return [table for path in files for table in peek(path, rows=rows)]
    return list(PEEKERS[assumed_format(where.name)](where, rows))


def _peek_csv(path: Path, rows: int) -> Iterator[PeekedTable]:
    with open_regular(path.parent, path.name) as file:
        data = file.read(HEAD_BYTES)
    # What was cut off in the middle is left out, so that half a letter or half a record misleads nobody.
    whole = data if len(data) < HEAD_BYTES else data[: data.rfind(b"\n") + 1]
    encoding = _encoding(path.name, whole)
    text = io.StringIO(whole.decode(encoding), newline="\n")
    separator = max(SEPARATORS.values(), key=text.readline().count)
    text.seek(0)
    try:
        records = list(islice(csv.reader(text, delimiter=separator), rows + 1))
    except csv.Error:
        both = ("CSV로 읽을 수 없습니다(따옴표나 줄 끝).", "cannot be read as CSV (quotes or ends of lines).")
        refuse(path.name, "broken-quote", both, MEND_ROW)
    header, body = records[0], [record for record in records[1:] if len(record) == len(records[0])]
    columns = {name: [record[place] or None for record in body] for place, name in enumerate(header)}
    origin = Origin("csv", path.name, encoding=encoding, separator=separator)
    yield table_of(path.stem, origin, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))


def _encoding(name: str, data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    encoding = next((encoding for encoding in ("utf-8", "cp949") if _decodes(data, encoding)), None)
    if encoding is None:
        both = ("UTF-8도 CP949도 아닙니다.", "neither UTF-8 nor CP949.")
        refuse(name, "encoding", both, ("UTF-8로 저장해 다시 내보내세요.", "Save it as UTF-8 and export again."))
    return encoding


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _peek_parquet(path: Path, rows: int) -> Iterator[PeekedTable]:
    with open_regular(path.parent, path.name) as file:
        check_magic(path.name, file)
        spelled, nested = [], []
        with decoding(path.name):
            frame = pl.scan_parquet(by_descriptor(file), glob=False).head(rows)
            for name, dtype in frame.collect_schema().items():
                try:
                    spelled.append(as_text(name, dtype, {}))
                except UnspellableError:
                    spelled.append(pl.lit(None, pl.String).alias(name))
                    nested.append(name)
            head = frame.select(spelled).collect()
        yield table_of(path.stem, Origin("parquet", path.name), head, nested)


def _peek_workbook(path: Path, rows: int) -> Iterator[PeekedTable]:
    with open_regular(path.parent, path.name) as file:
        check_package(path.name, file)
        with reading(path.name), opened(file) as book:
            found = [_peek_sheet(path, sheet, rows) for sheet in book.worksheets]
    yield from (table for table in found if table is not None)


def _peek_sheet(path: Path, sheet: Any, rows: int) -> PeekedTable | None:
    place = f"{path.name}[{sheet.title}]"
    with sheet_rows(sheet) as rows_of:
        top = list(islice(rows_of, TOP))
        row, lines = _header_row(top), chain(top, rows_of)
        try:
            header = header_of(place, lines, row)
        except SourceError:
            return None  # an empty sheet is no table
        records = [
            [text_of(cell.value, cell.number_format or "", None) for cell in cells]
            for _, cells in islice(body(place, lines, len(header)), rows)
        ]
    if sheet.sheet_state == "visible":
        check_names(place, header, row)
    columns = {name: [record[at] if at < len(record) else None for record in records] for at, name in enumerate(header)}
    origin = Origin("xlsx", path.name, sheet=sheet.title, header_row=row, hidden=sheet.sheet_state != "visible")
    head = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return table_of(f"{path.stem}_{sheet.title}", origin, head)


def _header_row(top: Sequence[tuple[int, Sequence[Any]]]) -> int:
    """Tell which row has the names: the first that is nearly as full as the fullest, above it are titles; else 1."""
    filled = [(number, sum(cell.value is not None for cell in cells)) for number, cells in top]
    widest = max((count for _, count in filled), default=0)
    return next((number for number, count in filled if count and count >= FULL * widest), 1)


PEEKERS: dict[str, Callable[[Path, int], Iterator[PeekedTable]]] = {
    "csv": _peek_csv,
    "fhir": peek_fhir,
    "parquet": _peek_parquet,
    "xlsx": _peek_workbook,
}
