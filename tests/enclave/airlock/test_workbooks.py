"""XLSX: what is hidden in a workbook is found, what is honest passes, what is made to break readers is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as Drawing
from openpyxl.workbook.defined_name import DefinedName
from PIL import Image

from enclave.airlock.parse import parse
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing.pieces import pieces
from enclave.airlock.worker import inspect

RULES = CheckRules()
PERSON = "900101-1234567"
Change = Callable[[openpyxl.Workbook], None]


def workbook(change: Change | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "결과"
    for row in (["지역", "n", "평균"], ["서울", 120, 51.2], ["부산", 431, 49.9]):
        sheet.append(row)
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(content: bytes, entries: dict[str, bytes], *, edit: dict[str, tuple[bytes, bytes]] | None = None) -> bytes:
    """Write a package anew with further entries, and with some bytes replaced in some of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        assert set(edit or {}) <= set(old.namelist())
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            if edit and name in edit:
                assert edit[name][0] in body
                body = body.replace(*edit[name])
            if name not in entries:
                new.writestr(name, body)
        for name, body in entries.items():
            new.writestr(name, body)
    return out.getvalue()


def look(content: bytes, name: str = "result.xlsx", rules: CheckRules = RULES) -> FileReport:
    return inspect(content, name, rules)


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def put(cell: str, value: object) -> Change:
    def change(book: openpyxl.Workbook) -> None:
        book.active[cell] = value

    return change


def test_an_honest_workbook_passes_and_says_its_size() -> None:
    report = look(workbook())
    assert (report.findings, report.kind, report.rows, report.columns) == ((), "workbook", 2, 3)


def test_a_workbook_of_pandas_passes() -> None:
    pandas = pytest.importorskip("pandas")
    out = io.BytesIO()
    pandas.DataFrame({"region": ["Seoul", "Busan"], "n": [120, 44], "mean": [1.5, 2.25]}).to_excel(out, index=False)
    assert look(out.getvalue()).verdict is Verdict.PASS


def test_each_sheet_is_a_table_and_its_places_name_the_sheet() -> None:
    def change(book: openpyxl.Workbook) -> None:
        second = book.create_sheet("둘째")
        second.append(["region", "n"])
        second.append(["A", 3])

    report = look(workbook(change))
    assert [(f.rule, f.place) for f in report.findings] == [("cell.small", "시트 ‘둘째’ R2 C2 (n)")]


def test_a_sheet_whose_name_looks_like_a_value_is_named_by_its_number() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active.title = PERSON
        book.active["B2"] = 3

    report = look(workbook(change))
    assert {"id.rrn", "cell.small"} <= rules_of(report)
    assert not [f for f in report.findings if "900101" in f.place]


def test_tables_that_blank_rows_part_are_checked_each_for_itself() -> None:
    def change(book: openpyxl.Workbook) -> None:
        for row in ([], ["region", "cases"], ["A", 120], ["B", 4]):
            book.active.append(row)

    (finding,) = look(workbook(change)).findings
    assert (finding.rule, finding.place) == ("cell.small", "시트 ‘결과’ A5 R3 C2 (cases)")


def hidden_sheet(state: str) -> Change:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("x")
        sheet.append(["환자번호", "메모"])
        sheet.append(["A1", f"연락처 {PERSON}"])
        sheet.sheet_state = state

    return change


def hidden_rows(book: openpyxl.Workbook) -> None:
    book.active["A4"] = PERSON
    book.active.row_dimensions[4].hidden = True


def hidden_columns(book: openpyxl.Workbook) -> None:
    book.active["E2"] = PERSON
    book.active.column_dimensions["E"].hidden = True


def comment(book: openpyxl.Workbook) -> None:
    book.active["A1"].comment = Comment(f"환자 {PERSON}", "검토자")


def name(book: openpyxl.Workbook) -> None:
    book.defined_names["secret"] = DefinedName("secret", attr_text=f'"{PERSON}"')


def unseen(book: openpyxl.Workbook) -> None:
    book.active["D2"] = PERSON
    book.active["D2"].number_format = ";;;"


def header(book: openpyxl.Workbook) -> None:
    book.active.oddHeader.center.text = PERSON


def chosen(book: openpyxl.Workbook) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    book.active.add_data_validation(DataValidation(type="list", formula1=f'"{PERSON},b"', sqref="F1"))


def author(book: openpyxl.Workbook) -> None:
    book.properties.creator = f"홍길동 {PERSON}"


HIDDEN = {
    "in a hidden sheet": (hidden_sheet("hidden"), "office.hidden"),
    "in a very hidden sheet": (hidden_sheet("veryHidden"), "office.hidden"),
    "in a hidden row": (hidden_rows, "office.hidden"),
    "in a hidden column": (hidden_columns, "office.hidden"),
    "in a comment": (comment, "office.comment"),
    "in a defined name": (name, "office.name"),
    "behind a number format": (unseen, "office.hidden"),
    "in the page header": (header, None),
    "in a list of choices": (chosen, None),
    "in the author's name": (author, "office.properties"),
    "in a formula": (put("D2", f'=LEN("{PERSON}")'), "office.formula"),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_what_is_hidden_in_a_workbook_is_listed_and_read(case: str) -> None:
    change, rule = HIDDEN[case]
    report = look(workbook(change))
    assert "id.rrn" in rules_of(report)
    assert rule is None or rule in rules_of(report)
    assert PERSON not in report.to_json()


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = f"<sst xmlns='x'><si><t>지역</t></si><si><r><t>서</t></r><r><t>울</t></r></si><si><t>{PERSON}</t></si></sst>"


def test_strings_kept_apart_are_read_also_those_that_no_cell_shows_any_more() -> None:
    row = '<row><c t="s"><v>{}</v></c></row>'
    rows = f'<worksheet xmlns="x"><sheetData>{row.format(0)}{row.format(1)}</sheetData></worksheet>'
    content = changed(workbook(), {"xl/sharedStrings.xml": STRINGS.encode(), SHEET: rows.encode()})
    (table,) = parse(content, "a.xlsx", RULES).parts[0].document.tables
    assert (table.columns, table.rows) == (("지역",), (("서울",),))
    assert "id.rrn" in rules_of(look(content))
    lost = changed(content, {SHEET: rows.replace("<v>1</v>", "<v>7</v>").encode()})
    assert rules_of(look(lost)) == {"parse.zip"}


def test_a_comment_in_the_xml_itself_is_read() -> None:
    edit = {"xl/styles.xml": (b"</styleSheet>", f"<!-- {PERSON} --></styleSheet>".encode())}
    assert "id.rrn" in rules_of(look(changed(workbook(), {}, edit=edit)))
    edit = {"xl/worksheets/sheet1.xml": (b"</worksheet>", f"<!-- {PERSON} --></worksheet>".encode())}
    assert "id.rrn" in rules_of(look(changed(workbook(), {}, edit=edit)))


STOPPED = {
    "macros": ({"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, "type.macros"),
    "Excel 4 macros": ({"xl/macrosheets/sheet1.xml": b"<x/>"}, "office.macros"),
    "a control": ({"xl/activeX/activeX1.xml": b"<x/>"}, "office.macros"),
    "an external link": ({"xl/externalLinks/externalLink1.xml": b"<x/>"}, "office.external"),
    "a data connection": ({"xl/connections.xml": b"<x/>"}, "office.external"),
    "a pivot cache": ({"xl/pivotCache/pivotCacheRecords1.xml": b"<x/>"}, "office.pivot"),
    "an embedded object": ({"xl/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, "office.embedded"),
    "a workbook within": ({"xl/embeddings/book.xlsx": workbook()}, "office.embedded"),
    "an archive called a picture": ({"xl/media/a.png": workbook()}, "office.embedded"),
    "unknown bytes": ({"xl/printerSettings/printerSettings1.bin": b"\x00\x01"}, "office.embedded"),
    "a link that fetches": (
        {"xl/_rels/x.xml.rels": b'<R><Relationship Type="a/image" TargetMode="External" Target="http://a/b"/></R>'},
        "office.external",
    ),
    "an entity bomb": (
        {"xl/theme/x.xml": b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'}, "parse.xml"),
    "a bomb": ({"xl/media/a.bin": b"\x00" * (9 << 20)}, "parse.bomb"),
    "XML that is none": ({"xl/styles.xml": b"<a><b></a>"}, "parse.zip"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPPED)
def test_what_nobody_can_look_into_stops_the_workbook(case: str) -> None:
    entries, rule = STOPPED[case]
    report = look(changed(workbook(), entries))
    assert rule in rules_of(report)
    assert report.verdict is Verdict.BLOCK
    assert "\x00" not in report.to_json()


def test_a_formula_that_reaches_out_stops_the_workbook() -> None:
    assert "office.external" in rules_of(look(workbook(put("D1", '=WEBSERVICE("http://a.example/"&A1)'))))
    assert "office.external" in rules_of(look(workbook(put("D1", "=[1]Sheet1!A1"))))


def twice(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("xl/workbook.xml", b"<workbook/>")
    return out.getvalue()


def gap(content: bytes) -> bytes:
    at = content.rfind(b"PK\x01\x02", 0, content.index(b"PK\x01\x02") + 4)
    moved = content[:at] + b"secret" * 9 + content[at:]
    end = moved.rfind(b"PK\x05\x06")
    start = int.from_bytes(moved[end + 16 : end + 20], "little") + 54
    return moved[: end + 16] + start.to_bytes(4, "little") + moved[end + 20 :]


def comment_behind(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as package:
        package.comment = b"secret" * 20
    return out.getvalue()


def extra(content: bytes) -> bytes:
    out = io.BytesIO(content)
    info = zipfile.ZipInfo("xl/x.xml")
    info.extra = b"\xfe\xca" + (200).to_bytes(2, "little") + b"s" * 200
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(info, b"<x/>")
    return out.getvalue()


def encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02") + 8
    return content[:at] + b"\x01" + content[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "rule"),
    [(twice, "parse.zip"), (gap, "parse.zip"), (comment_behind, "parse.zip"), (extra, "parse.zip"),
     (lambda content: content + b"secret", "parse.zip"), (lambda content: content[:-40], "type.zip"),
     (encrypted, "type.encrypted")],
    ids=["an entry twice", "a gap", "a comment", "an extra field", "a tail", "cut off", "encrypted"],
)  # fmt: skip
def test_a_package_that_two_readers_could_read_differently_is_refused(damage, rule: str) -> None:
    assert rules_of(look(damage(workbook()))) == {rule}


def test_a_sheet_that_claims_to_be_endless_is_refused_at_once() -> None:
    assert rules_of(look(workbook(put("XFD1048576", 1)))) == {"parse.size"}
    edit = {"xl/worksheets/sheet1.xml": (b'r="B2"', b'r="ZZZZ9"')}
    assert rules_of(look(changed(workbook(), {}, edit=edit))) == {"parse.zip"}


def test_values_are_read_as_they_are_meant_and_not_rounded() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("v")
        sheet.append(["날짜", "비율", "값", "참"])
        sheet.append([date(2020, 3, 1), 0.12345, 1.23456789, True])
        sheet["B2"].number_format = "0%"
        sheet["C2"].number_format = "0.0"

    document = parse(workbook(change), "a.xlsx", RULES)
    (table,) = document.parts[1].document.tables
    assert table.rows == (("2020-03-01", "12.345%", "1.23456789", "TRUE"),)


def test_pictures_in_a_workbook_are_opened_like_submitted_ones() -> None:
    def change(book: openpyxl.Workbook) -> None:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "white").save(picture, "PNG")
        book.active.add_image(Drawing(picture), "E5")

    report = look(workbook(change))
    assert [(f.rule, f.place.split()[0]) for f in report.findings] == [("image.eye", "그림")]


def test_a_chart_keeps_values_and_they_are_checked() -> None:
    cache = (b'<c:chart xmlns:c="c"><c:ser><c:numCache><c:pt idx="0"><c:v>3</c:v></c:pt></c:numCache><c:strCache><c:pt>'
             b"<c:v>" + PERSON.encode() + b"</c:v></c:pt></c:strCache></c:ser></c:chart>")  # fmt: skip
    assert "id.rrn" in rules_of(look(changed(workbook(), {"xl/charts/chart1.xml": cache})))

    def change(book: openpyxl.Workbook) -> None:
        chart = BarChart()
        chart.add_data(Reference(book.active, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        book.active.add_chart(chart, "E5")

    assert look(workbook(change)).verdict is Verdict.PASS


def test_a_reviewer_sees_every_sheet_also_the_hidden_ones() -> None:
    found, left_out = pieces(parse(workbook(hidden_sheet("veryHidden")), "a.xlsx", RULES), "a.xlsx")
    assert [(piece.kind, piece.path) for piece in found] == [
        ("text", ()), ("table", ("시트 ‘결과’",)), ("table", ("시트 ‘x’",))]  # fmt: skip
    assert left_out == 0


def test_a_workbook_with_another_ending_and_an_archive_called_workbook_are_refused() -> None:
    assert rules_of(look(workbook(), "a.csv")) == {"type.mismatch"}
    assert rules_of(look(workbook(), "a.xlsm")) == {"type.ending"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("a.csv", "n\n100\n")
    assert rules_of(look(out.getvalue())) == {"type.zip"}
