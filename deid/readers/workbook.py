"""Opening one sheet of a workbook (XLSX): read once, streaming, into an unnamed copy.

A workbook says more than it shows. What was hidden or filtered away, merged cells (whose value stands only in the
first), formulas that were never calculated and cells right of the header are refused by row, not guessed at; hidden
parts are read only where the recipe says `hidden: read`. Formulas give the result that was stored with them.
"""

from __future__ import annotations

import errno
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import IO, Any, NoReturn

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape

from deid.errors import DeidError
from deid.readers.refuse import check_header, check_rows, refuse
from deid.readers.regular import check_stamp, hash_of, open_regular, stamp
from deid.readers.sheet_survey import Survey, survey
from deid.readers.source import Reading, Source
from deid.readers.spelling import UnspellableError, date_formats, spell
from deid.readers.spool import Spool, kept
from deid.recipe import Limits, TableRule

OLE2 = b"\xd0\xcf\x11\xe0"
LARGEST_PART, LARGEST_RATIO = 4 << 30, 500
ZEROS = re.compile(r"0{2,}")
CLOCK = re.compile(r"[hs]", re.IGNORECASE)


@contextmanager
def open_workbook(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Check one sheet of `folder/rule.file` and give a `Source`. Raises `SourceError` or `RecipeError`."""
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(folder, rule.file))
        before = stamp(file)
        digest = hash_of(file, how.advance)
        check_package(rule.file, file)
        with reading(rule.file):
            place, header, spool = _read(rule, file, limits, how, stack)
        content = spool.finish(lambda: check_stamp(file, before, rule.file))
        check_rows(place, spool.rows, limits)
        loaded = kept(content, spool, in_memory=how.in_memory)
        content.check_unchanged()
        yield Source(rule, place, header, spool.rows, before[0], digest, content, loaded)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever openpyxl meets into `SourceError`, and keep it quiet about features that carry no values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except DeidError:
            raise
        except OSError as error:
            if error.errno != errno.EINVAL:  # what a damaged directory of a zip seeks to
                raise
            _refuse_damaged(name, type(error).__name__)
        except Exception as error:  # noqa: BLE001 - openpyxl lets through whatever its zip and XML parsers raise
            _refuse_damaged(name, type(error).__name__)


def _read(
    rule: TableRule, file: IO[bytes], limits: Limits, how: Reading, stack: ExitStack
) -> tuple[str, tuple[str, ...], Spool]:
    with zipfile.ZipFile(file) as package, opened(file) as book:
        sheet = choose_sheet(rule.file, book, rule.origin.sheet, hidden=rule.origin.hidden)
        place = f"{rule.file}[{sheet.title}]"
        rows = stack.enter_context(sheet_rows(sheet))
        header = header_of(place, rows, rule.origin.header_row)
        check_header(rule, place, header)
        _check_survey(place, survey(package, part_of(sheet), len(header)), rule)
        spool = stack.enter_context(Spool(rule, place, limits, how.spool))
        formats = date_formats(rule)
        places = [header.index(name) for name in rule.used]
        for number, cells in body(place, rows, len(header)):
            values = [_value(place, number, cells, at, formats.get(header[at])) for at in places]
            spool.add(number, values)
        return place, header, spool


def choose_sheet(name: str, book: Any, wanted: str, *, hidden: bool) -> Any:
    """Find the sheet by its name, or the only one that is shown. Raises `SourceError`, naming those that are there."""
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    words = ", ".join(sheet.title for sheet in book.worksheets)
    there = (f"있는 시트: {words}. sheet에 하나를 적으세요.", f"There are: {words}. Name one in sheet.")
    if not wanted:
        if len(shown) != 1:
            both = ("보이는 시트가 하나가 아닙니다.", "there is not exactly one sheet that is shown.")
            refuse(name, "sheet", both, there)
        return shown[0]
    sheet = next((sheet for sheet in book.worksheets if sheet.title == wanted), None)
    if sheet is None:
        refuse(name, "sheet", (f"시트 '{wanted}'이(가) 없습니다.", f"there is no sheet '{wanted}'."), there)
    if sheet not in shown and not hidden:
        refuse(
            name, "hidden",
            (f"시트 '{wanted}'은(는) 숨겨져 있습니다.", f"the sheet '{wanted}' is hidden."),
            ("보내려던 것이 맞으면 hidden: read를 적으세요.", "If it was meant to be sent, write hidden: read."),
        )  # fmt: skip
    return sheet


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Any]:
    """Open a workbook for streaming, stored results for formulas; its parts are closed again."""
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        yield book
    finally:
        book.close()


@contextmanager
def sheet_rows(sheet: Any) -> Iterator[Iterator[tuple[int, tuple[Any, ...]]]]:
    """Give (row number from 1, cells) of a read-only sheet, whatever its dimension claims."""
    sheet.reset_dimensions()
    with closing(sheet.iter_rows()) as rows:
        yield enumerate(rows, start=1)


def part_of(sheet: Any) -> str:
    """Name of the sheet's XML inside the package."""
    return str(sheet._worksheet_path)  # noqa: SLF001 - the only place openpyxl keeps it


def header_of(place: str, rows: Iterator[tuple[int, tuple[Any, ...]]], row: int) -> tuple[str, ...]:
    """Read the names of columns from row `row`; blank cells at the right end are no columns."""
    cells = next((cells for number, cells in rows if number == row), ())
    names = [text_of(cell.value, "", None) or "" for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        both = (f"{row}행에 머리글이 없습니다.", f"there is no header in row {row}.")
        refuse(place, "header", both, ("header_row를 확인하세요.", "Check header_row."), at=(row, -1))
    return tuple(names)


def body(place: str, rows: Iterator[tuple[int, tuple[Any, ...]]], width: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """Give the rows below the header, as wide as it; blank rows count only when something follows them."""
    blank = []
    for number, cells in rows:
        if all(cell.value is None for cell in cells):
            blank.append(number)
            continue
        yield from ((empty, ()) for empty in blank)
        blank.clear()
        beyond = next((at for at, cell in enumerate(cells[width:], start=width + 1) if cell.value is not None), 0)
        if beyond:
            both = (
                f"머리글 오른쪽의 {get_column_letter(beyond)}열에 값이 있습니다.",
                f"there is a value in column {get_column_letter(beyond)}, right of the header.",
            )
            fix = ("머리글을 채우거나 그 칸을 비우세요.", "Name the column in the header, or empty the cell.")
            refuse(place, "broken-fields", both, fix, at=(number, -1))
        yield number, cells[:width]


def text_of(value: object, number_format: str, form: str | None) -> str | None:
    """Spell a cell as it is meant: days without a time of day, whole numbers with the zeros their format shows."""
    if value is None:
        return None
    if isinstance(value, str):
        return str(unescape(value))
    if isinstance(value, datetime) and value.time() == time(0) and not CLOCK.search(number_format):
        return spell(value.date(), form)
    if isinstance(value, int) and not isinstance(value, bool) and ZEROS.fullmatch(number_format):
        return str(value).zfill(len(number_format))
    return spell(value, form)


def _value(place: str, number: int, cells: Sequence[Any], at: int, form: str | None) -> str | None:
    if at >= len(cells) or cells[at].value is None:
        return None
    cell = cells[at]
    where = f"{get_column_letter(at + 1)}{number}"
    if cell.data_type == "e":
        both = (f"칸 {where}에 계산 오류가 있습니다.", f"cell {where} holds an error.")
        refuse(place, "cell", both, ("그 칸을 고치거나 비우세요.", "Mend or empty the cell."), at=(number, -1))
    try:
        return text_of(cell.value, cell.number_format or "", form)
    except UnspellableError as error:
        both = (f"칸 {where}의 값은 {error.kind}입니다.", f"cell {where} holds a {error.kind}.")
        fix = ("날짜, 수, 글로 바꾸어 저장하세요.", "Save it as a date, number or text.")
        refuse(place, "column-type", both, fix, at=(number, -1))


def _check_survey(place: str, found: Survey, rule: TableRule) -> None:
    first = rule.origin.header_row
    rows = [row for row in found.hidden_rows if row >= first]
    if (rows or found.hidden_columns) and not rule.origin.hidden:
        words = ", ".join(found.hidden_columns)
        refuse(
            place, "hidden",
            (f"행 {len(rows):,}개, 열({words})이 숨겨져 있습니다.", f"{len(rows):,} rows, columns ({words}) hidden."),
            ("보내려던 것이면 hidden: read를 적고, 아니면 지우세요.", "Write hidden: read if meant, or delete them."),
            at=(rows[0] if rows else 0, -1),
        )  # fmt: skip
    merged = next(((row, ref) for row, ref in sorted(found.merged) if row >= first), None)
    if merged:
        both = (f"{merged[1]} 칸이 병합되어 있습니다.", f"the cells {merged[1]} are merged.")
        fix = ("병합을 풀고 칸마다 값을 채우세요.", "Unmerge them and fill in each cell.")
        refuse(place, "merged", both, fix, at=(merged[0], -1))
    unsolved = next(((row, ref) for row, ref in found.unsolved if row >= first), None)
    if unsolved:
        both = (
            f"칸 {unsolved[1]}의 수식에 저장된 결과가 없습니다.",
            f"the formula in {unsolved[1]} has no stored result.",
        )
        fix = ("엑셀에서 열어 계산한 뒤 다시 저장하세요.", "Open it in a spreadsheet program and save it again.")
        refuse(place, "formula", both, fix, at=(unsolved[0], -1))


def check_package(name: str, file: IO[bytes]) -> None:
    """Raise `SourceError` for old or encrypted workbooks, and for packages that unpack to very much."""
    head = file.read(len(OLE2))
    file.seek(0)
    if head == OLE2:
        both = ("암호가 걸렸거나 옛 형식(.xls)입니다.", "it has a password or is of the old kind (.xls).")
        refuse(name, "encrypted", both, ("암호 없이 .xlsx로 저장하세요.", "Save it as .xlsx without a password."))
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error) as error:
        _refuse_damaged(name, type(error).__name__)
    if any(p.file_size > LARGEST_PART or p.file_size > LARGEST_RATIO * max(p.compress_size, 1 << 20) for p in parts):
        both = ("압축을 풀면 지나치게 커집니다.", "it unpacks to far more than it should.")
        refuse(name, "bomb", both, ("CSV나 Parquet으로 내보내세요.", "Export it as CSV or Parquet."))


def _refuse_damaged(name: str, detail: str) -> NoReturn:
    both = (f"엑셀 통합문서로 읽을 수 없습니다({detail}).", f"cannot be read as a workbook ({detail}).")
    refuse(name, "broken-workbook", both, ("다시 저장해 보내거나 CSV로 내보내세요.", "Save it again, or as CSV."))
