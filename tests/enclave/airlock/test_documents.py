"""DOCX and HWPX: text, tables, pictures and notes are read; what a reader does not see is said."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from enclave.airlock.parse import parse
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect
from tests.enclave.airlock.office import W, docx, grid, hwpx, packed, paragraph

RULES = CheckRules()
PERSON = "900101-1234567"
SMALL = [["지역", "n"], ["서울", "120"], ["부산", "4"]]


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return out.getvalue()


def look(content: bytes, name: str = "report.docx") -> FileReport:
    return inspect(content, name, RULES)


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


YEARS, ILLS = ["과", "2019", "2020", "2021", "2022"], ["상병코드", "건수", "비율(%)"]
COUNTS = {
    "a name's digit and four counts that make a card's number": [YEARS, ["과 6", "4773", "4026", "4319", "4862"]],
    "an illness and its count": [ILLS, ["I10", "1185", "29.60"], ["E11.9", "8370", "20.90"]],
}


@pytest.mark.parametrize("case", COUNTS)
@pytest.mark.parametrize("make", [docx, hwpx], ids=["docx", "hwpx"])
def test_cells_side_by_side_are_no_identifier(make: Callable[..., bytes], case: str) -> None:
    rows = COUNTS[case]
    body = grid(rows) if make is docx else f"<hp:p><hp:run>{grid(rows, 'hp', 'run')}</hp:run></hp:p>"
    assert [f.rule for f in look(make(body), f"a.{make.__name__}").findings if f.rule.startswith("id.")] == []


@pytest.mark.parametrize(("content", "name"), [(docx(), "a.docx"), (hwpx(), "a.hwpx")], ids=["docx", "hwpx"])
def test_an_honest_report_passes_and_its_text_and_tables_are_read(content: bytes, name: str) -> None:
    report = look(content, name)
    assert (report.findings, report.kind, report.rows, report.columns) == ((), "document", 2, 2)
    document = parse(content, name, RULES)
    assert document.text.startswith("결과 요약")
    assert document.tables[0].rows == (("서울", "120"), ("부산", "44"))


@pytest.mark.parametrize(
    ("content", "name"),
    [(docx(grid(SMALL)), "a.docx"), (hwpx(f"<hp:p><hp:run>{grid(SMALL, 'hp', 'run')}</hp:run></hp:p>"), "a.hwpx")],
    ids=["docx", "hwpx"],
)
def test_a_small_count_in_a_table_of_a_report_is_stopped_at_its_cell(content: bytes, name: str) -> None:
    assert [f.place for f in look(content, name).findings if f.rule == "cell.small"] == ["표 1 R3 C2 (n)"]


def test_a_table_inside_a_cell_of_a_table_is_a_table_of_its_own() -> None:
    inner = f"<w:tbl><w:tr><w:tc>{grid(SMALL)}</w:tc></w:tr></w:tbl>"
    assert "표 2 R3 C2 (n)" in [f.place for f in look(docx(inner)).findings if f.rule == "cell.small"]


RUN = f"<w:r><w:t>{PERSON}</w:t></w:r>"
LINK = '<R><Relationship Type="{}" TargetMode="External" Target="{}"/></R>'
IN_WORD = {
    "in the text": (docx(paragraph(PERSON)), None),
    "split over runs": (docx("<w:p><w:r><w:t>900101-</w:t></w:r><w:r><w:t>1234567</w:t></w:r></w:p>"), None),
    "in deleted text": (
        docx(f"<w:p><w:del><w:r><w:delText>{PERSON}</w:delText></w:r></w:del></w:p>"), "office.tracked"),
    "in inserted text": (docx(f"<w:p><w:ins>{RUN}</w:ins></w:p>"), "office.tracked"),
    "in hidden text": (
        docx(f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{PERSON}</w:t></w:r></w:p>"), "office.hidden"),
    "in a text box": (docx(f"<w:p><w:r><w:txbxContent>{paragraph(PERSON)}</w:txbxContent></w:r></w:p>"), None),
    "in a comment inside a word": (docx(f"<w:p><w:r><w:t>a<!-- {PERSON} -->b</w:t></w:r></w:p>"), None),
    "in a field": (docx(f"<w:p><w:r><w:instrText>QUOTE {PERSON}</w:instrText></w:r></w:p>"), None),
    "in a picture's description": (docx(f'<w:p><w:drawing><w:docPr descr="{PERSON}"/></w:drawing></w:p>'), None),
    "in a comment of the XML": (docx(f"<!-- {PERSON} -->" + paragraph("a")), None),
    "where no text belongs": (docx(f"<w:sectPr><w:x>{PERSON}</w:x></w:sectPr>"), None),
    "in a comment": (
        docx(more={"word/comments.xml": f'<w:comments xmlns:w="{W}">{paragraph(PERSON)}</w:comments>'}), None),
    "in a header": (docx(more={"word/header1.xml": f'<w:hdr xmlns:w="{W}">{paragraph(PERSON)}</w:hdr>'}), None),
    "in a footnote": (docx(more={"word/footnotes.xml": f'<w:f xmlns:w="{W}">{paragraph(PERSON)}</w:f>'}), None),
    "in the author's name": (
        docx(more={"docProps/core.xml": f"<cp><creator>{PERSON}</creator></cp>"}), "office.properties"),
    "in a property of one's own": (
        docx(more={"docProps/custom.xml": f"<P><property><lpwstr>{PERSON}</lpwstr></property></P>"}),
        "office.properties"),
    "in XML of one's own": (docx(more={"customXml/item1.xml": f"<a>{PERSON}</a>"}), None),
    "in a bookmark's name": (docx(f'<w:bookmarkStart w:name="{PERSON}"/>' + paragraph("a")), None),
    "in a control's tag": (docx(f'<w:sdt><w:sdtPr><w:tag w:val="{PERSON}"/></w:sdtPr></w:sdt>' + paragraph("a")), None),
    "in a font's name": (docx(f'<w:p><w:r><w:rPr><w:rFonts w:ascii="{PERSON}"/></w:rPr></w:r></w:p>'), None),
    "in the name of who deleted": (docx(f'<w:p><w:del w:author="{PERSON}"/></w:p>'), "office.tracked"),
    "in the name of an element": (docx(f"<w:p{PERSON}/>" + paragraph("a")), None),
    "in the name of an entry": (docx(more={f"word/{PERSON}.xml": "<a/>"}), None),
    "in a style": (docx(more={"word/styles.xml": f"<a><b>{PERSON}</b></a>"}), None),
    "in a web link": (docx(more={"word/_rels/document.xml.rels": LINK.format("x/hyperlink", PERSON)}), None),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_WORD)
def test_an_identifier_anywhere_in_a_word_document_is_found(case: str) -> None:
    content, rule = IN_WORD[case]
    report = look(content)
    assert "id.rrn" in rules_of(report)
    assert rule is None or rule in rules_of(report)
    assert PERSON not in report.to_json()


IN_HANGUL = {
    "in the text": (hwpx(f"<hp:p><hp:run><hp:t>{PERSON}</hp:t></hp:run></hp:p>"), None),
    "behind a mark in the text": (hwpx(f"<hp:p><hp:run><hp:t>a<hp:lineBreak/>{PERSON}</hp:t></hp:run></hp:p>"), None),
    "in a hidden comment": (
        hwpx(f"<hp:p><hp:run><hp:hiddenComment><hp:p><hp:run><hp:t>{PERSON}</hp:t></hp:run></hp:p></hp:hiddenComment>"
             "</hp:run></hp:p>"), "office.hidden"),
    "in tracked text": (
        hwpx(f"<hp:p><hp:run><hp:t><hp:deleteBegin/>{PERSON}<hp:deleteEnd/></hp:t></hp:run></hp:p>",
             {"Contents/header.xml": '<hh:head xmlns:hh="h"><hh:trackChange/></hh:head>'}), "office.tracked"),
    "in the preview that was left from before": (hwpx(more={"Preview/PrvText.txt": PERSON.encode("utf-16-le")}), None),
    "in a bookmark's name": (
        hwpx(f'<hp:p><hp:run><hp:ctrl><hp:bookmark name="{PERSON}"/></hp:ctrl></hp:run></hp:p>'), None),
    "in the name of an entry": (hwpx(more={f"Contents/{PERSON}.xml": "<a/>"}), None),
    "in the author's name": (
        hwpx(more={"Contents/content.hpf": f'<p><meta name="creator">{PERSON}</meta></p>'}), "office.properties"),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_HANGUL)
def test_an_identifier_anywhere_in_a_hangul_document_is_found(case: str) -> None:
    content, rule = IN_HANGUL[case]
    report = look(content, "report.hwpx")
    assert "id.rrn" in rules_of(report)
    assert rule is None or rule in rules_of(report)
    assert PERSON not in report.to_json()


STOPPED = {
    "macros": (docx(more={"word/vbaProject.bin": b"x"}), "report.docx", "type.macros"),
    "an embedded object": (docx(more={"word/embeddings/a.bin": b"\xd0\xcf\x11\xe0"}), "report.docx", "office.embedded"),
    "a workbook within": (docx(more={"word/embeddings/a.xlsx": packed({"a": "b"})}), "report.docx", "office.embedded"),
    "an embedded font": (docx(more={"word/fonts/font1.odttf": b"\x00\x01"}), "report.docx", "office.embedded"),
    "another document within": (docx('<w:altChunk r="x"/>'), "report.docx", "office.embedded"),
    "a template from elsewhere": (
        docx(more={"word/_rels/settings.xml.rels": LINK.format("x/attachedTemplate", "http://a/b")}),
        "report.docx", "office.external"),
    "entities": (
        docx(more={"word/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "report.docx", "parse.xml"),
    "a namespace that names a person": (
        docx(f'<w:p xmlns:q="{PERSON}"/>' + paragraph("a")), "report.docx", "parse.zip"),
    "a broken body": (docx("<w:p>"), "report.docx", "parse.zip"),
    "an encrypted Hangul document": (
        hwpx(more={"META-INF/manifest.xml": "<m><encryption-data/></m>"}), "report.hwpx", "type.encrypted"),
    "a script": (hwpx(more={"Scripts/sourceScripts": "function OnDocument_Open() { steal(); }"}), "report.hwpx",
                 "office.macros"),
    "an object in Hangul": (hwpx(more={"BinData/ole1.ole": b"\xd0\xcf\x11\xe0"}), "report.hwpx", "office.embedded"),
    "an old HWP": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "report.hwp", "type.office"),
    "an open document": (packed({"mimetype": "application/vnd.oasis", "content.xml": "<a/>"}), "a.odt", "type.office"),
    "slides": (packed({"ppt/presentation.xml": "<a/>"}), "a.pptx", "type.office"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPPED)
def test_what_cannot_be_looked_into_stops_a_document(case: str) -> None:
    content, name, rule = STOPPED[case]
    report = look(content, name)
    assert rule in rules_of(report)
    assert report.verdict is Verdict.BLOCK


def test_empty_scripts_that_hangul_writes_itself_do_not_stop_a_document() -> None:
    script = "var Documents = XHwpDocuments;\nfunction OnDocument_New()\n{\n\t//todo : \n}\n"
    assert "office.macros" not in rules_of(
        look(hwpx(more={"Scripts/sourceScripts": script.encode("utf-16")}), "a.hwpx")
    )


@pytest.mark.parametrize(("content", "name"), [
    (docx(more={"word/media/image1.png": png()}), "a.docx"), (hwpx(more={"BinData/image1.png": png()}), "a.hwpx"),
    (hwpx(more={"Preview/PrvImage.png": png()}), "a.hwpx")], ids=["docx", "hwpx", "preview"])  # fmt: skip
def test_pictures_in_a_document_are_opened_like_submitted_ones(content: bytes, name: str) -> None:
    (finding,) = look(content, name).findings
    assert finding.rule == "image.eye"
    assert "그림" in finding.place


def test_a_picture_of_a_type_that_is_not_taken_is_refused_in_a_document_too() -> None:
    report = look(docx(more={"word/media/image1.emf": b"\x01\x00\x00\x00" + bytes(99)}))
    assert [(f.rule, f.place) for f in report.findings] == [("type.unknown", "그림 1")]


def test_very_deep_xml_is_read_without_breaking() -> None:
    deep = "<w:x>" * 20_000 + "</w:x>" * 20_000
    assert look(docx(deep)).verdict in set(Verdict)
