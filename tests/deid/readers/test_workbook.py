"""Workbooks: what they show is read, what they hide, merge or never calculated is refused by row."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from deid.errors import DeidError, SourceError
from deid.readers.peek import peek
from tests.deid.factory import HEAD, Hospital, gates, table

TABLE = """\
tables:
  visits:
    file: visits.xlsx
    label: 방문
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      name: {treatment: drop}
      day: {treatment: keep, type: date}
      note: {treatment: keep}
"""
TEXT = HEAD + gates(k=1) + TABLE
HEADER = ["no", "name", "day", "note"]
ROWS = [["00123", "김철수", date(2020, 1, 2), "한글 뷁"], ["00124", "이영희", datetime(2020, 3, 4, 5, 6), "둘\n줄"]]
Change = Callable[[Any], None]


def write(clinic: Hospital, change: Change = lambda _: None, *, title: str = "방문") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in (HEADER, *ROWS):
        sheet.append(row)
    change(sheet)
    path = clinic.source / "visits.xlsx"
    book.save(path)
    return path


def refused(clinic: Hospital, text: str = TEXT) -> DeidError:
    with pytest.raises(DeidError) as caught:
        clinic.run(text)
    assert clinic.left_behind() == []
    for value in ("김철수", "이영희", "00123", "뷁"):
        assert value not in str(caught.value) + caught.value.en
    assert caught.value.remedy_ko
    return caught.value


def setting(sheet: Any, **cells: object) -> None:
    for name, value in cells.items():
        sheet[name] = value


def hide_row(sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True


def hide_column(sheet: Any) -> None:
    sheet.column_dimensions["D"].hidden = True


def hide_sheet(sheet: Any) -> None:
    sheet.parent.create_sheet("빈 시트")
    sheet.sheet_state = "hidden"


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        (hide_row, "hidden", 3),
        (hide_column, "hidden", 0),
        (lambda s: s.merge_cells("C2:C3"), "merged", 2),
        (lambda s: s.merge_cells("A1:B1"), "header", 1),
        (lambda s: setting(s, D3="=1+1"), "formula", 3),
        (lambda s: setting(s, D3="#N/A"), "cell", 3),
        (lambda s: setting(s, F3="beyond"), "broken-fields", 3),
        (lambda s: setting(s, D1="name"), "header", 1),
        (lambda s: setting(s, E1="extra"), "untreated-column", 1),
        (lambda s: setting(s, A5="00125", C5=date(2020, 1, 1)), "no-patient", 4),
        (lambda s: setting(s, C3="언젠가"), "value", 3),
        (lambda s: s.delete_rows(1, 9), "header", 1),
        (lambda s: s.delete_rows(2, 9), "empty", 0),
        (lambda s: s.parent.create_sheet("둘째"), "sheet", 0),
    ],
)
def test_what_a_sheet_does_not_show_plainly_is_refused_by_row(
    clinic: Hospital, change: Change, code: str, line: int
) -> None:
    write(clinic, change)
    error = refused(clinic)
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == (f"deid.source-{code}", line)


@pytest.mark.parametrize("change", [hide_row, hide_column, hide_sheet])
def test_hidden_parts_are_read_where_the_recipe_says_so(clinic: Hospital, change: Change) -> None:
    write(clinic, change)
    frame = table(clinic.run(TEXT.replace("    label", "    sheet: 방문\n    hidden: read\n    label")), "visits")
    assert sorted(frame["note"]) == ["둘\n줄", "한글 뷁"]


def test_a_hidden_sheet_is_not_read_by_its_name_alone(clinic: Hospital) -> None:
    write(clinic, hide_sheet)
    assert refused(clinic, TEXT.replace("    label", "    sheet: 방문\n    label")).code == "deid.source-hidden"


def test_a_sheet_that_is_not_there_is_answered_with_those_that_are(clinic: Hospital) -> None:
    write(clinic)
    error = refused(clinic, TEXT.replace("    label", "    sheet: 환자\n    label"))
    assert (error.code, "방문" in error.remedy_ko) == ("deid.source-sheet", True)


def test_a_title_above_the_header_is_passed_over_by_its_row(clinic: Hospital) -> None:
    write(clinic, lambda s: (s.insert_rows(1, 2), setting(s, A1="2020년 방문 목록")))
    frame = table(clinic.run(TEXT.replace("    label", "    header_row: 3\n    label")), "visits")
    assert sorted(frame["note"]) == ["둘\n줄", "한글 뷁"]
    with pytest.raises(DeidError) as caught:
        clinic.run(TEXT)
    assert caught.value.code == "deid.source-no-header"


def test_zeros_that_only_the_format_shows_are_part_of_the_number(clinic: Hospital) -> None:
    write(clinic)
    first = table(clinic.run(TEXT), "visits")

    def as_number(sheet: Any) -> None:
        for place, number in (("A2", 123), ("A3", 124)):
            sheet[place] = number
            sheet[place].number_format = "00000"

    write(clinic, as_number)
    again = table(clinic.run(TEXT.replace("version: 1", "version: 2")), "visits")
    assert again["patient"].to_list() == first["patient"].to_list()


def test_a_formula_gives_its_stored_result(clinic: Hospital) -> None:
    path = write(clinic, lambda s: setting(s, D3="=1+1"))
    rewrite(path, "xl/worksheets/sheet1.xml", b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    assert sorted(table(clinic.run(TEXT), "visits")["note"]) == ["2", "한글 뷁"]


def rewrite(path: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)


def test_a_zero_row_height_hides_as_well(clinic: Hospital) -> None:
    path = write(clinic)
    rewrite(path, "xl/worksheets/sheet1.xml", b'<row r="3">', b'<row r="3" ht="0" customHeight="1">')
    assert refused(clinic).code == "deid.source-hidden"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda d: d[: len(d) // 2], "broken-workbook"),
        (lambda _: b"no,name\n", "broken-workbook"),
        (lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted"),
        (lambda _: b"", "empty"),
    ],
    ids=["cut", "a csv", "password or xls", "empty"],
)
def test_a_damaged_workbook_is_refused(clinic: Hospital, damage: Callable[[bytes], bytes], code: str) -> None:
    path = write(clinic)
    path.write_bytes(damage(path.read_bytes()))
    assert refused(clinic).code == f"deid.source-{code}"


def test_a_sheet_without_xml_or_with_entities_is_refused(clinic: Hospital) -> None:
    path = write(clinic)
    rewrite(path, "xl/worksheets/sheet1.xml", b"<worksheet ", b"<worksheet <")
    assert refused(clinic).code == "deid.source-broken-workbook"
    path = write(clinic)
    bomb = b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><worksheet '
    rewrite(path, "xl/worksheets/sheet1.xml", b"<worksheet ", bomb)
    assert refused(clinic).code == "deid.source-broken-workbook"


def test_a_package_that_unpacks_to_very_much_is_refused_before_it_is_unpacked(clinic: Hospital) -> None:
    path = write(clinic)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book, book.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(600):
            part.write(bytes(1 << 20))
    assert refused(clinic).code == "deid.source-bomb"


def test_peek_shows_every_sheet_and_says_which_are_hidden(clinic: Hospital) -> None:
    path = write(clinic, hide_sheet)
    (looked,) = peek(path)
    assert (looked.origin.sheet, looked.origin.hidden) == ("방문", True)
    assert looked.head["no"].to_list() == ["00123", "00124"]
