"""PDF (ISO 32000) with PDFium: each page as text, counted shapes and pixels; what acts, hides or is hidden is named.

PDFium writes the file anew in memory with its dictionaries in the open and its names spelt plainly, so that what they
say (scripts, actions, layers, attachments) can be looked for without a second parser.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pypdfium2

from enclave.airlock.checks.figure import active, check_count, undrawn
from enclave.airlock.checks.findings import block, mended_by, warn
from enclave.airlock.document import Document, Part
from enclave.airlock.figures.pdf_shapes import shapes
from enclave.airlock.figures.rasterise import MOST_PAGES, pdf_page
from enclave.airlock.figures.redraw import as_png
from enclave.airlock.figures.shapes import count
from enclave.airlock.figures.svg_shapes import TooMany
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.parsers.text import text_tables
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
ACTS = re.compile(
    rb"/(JavaScript|JS|OpenAction|AA|Launch|SubmitForm|ImportData|GoToE|GoToR|RichMedia|Movie|Sound|3D|XFA|AcroForm)\b"
)
HIDES = re.compile(rb"/(OCProperties|EmbeddedFiles?|FileAttachment|PieceInfo|Metadata|Encrypt|Collection)\b")
CLOSED = {b"EmbeddedFiles", b"EmbeddedFile", b"FileAttachment", b"Collection", b"Encrypt"}
END = re.compile(rb"%%EOF[ \t\r\n]*")
LINEARIZED_ENDS = 2


def parse_pdf(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read at most twenty pages. Raises `ParseRefused` for more, for what is locked, and for what is no PDF."""
    del name
    try:
        document = pypdfium2.PdfDocument(content)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        raise _locked() if "assword" in str(error) else _broken() from None
    if not 0 < pages <= MOST_PAGES:
        raise _too_long(pages)
    findings = dict.fromkeys((*_in_dictionaries(document), *_around(content)))
    words = "\n".join(f"{key}: {value}" for key, value in document.get_metadata_dict(skip_empty=True).items())
    parts = [Part(f"{number + 1}쪽/page", _page(document[number], rules)) for number in range(pages)]
    return Document("pdf", text=words, parts=tuple(parts), findings=tuple(findings))


def _page(page: pypdfium2.PdfPage, rules: CheckRules) -> Document:
    text = page.get_textpage().get_text_range(errors="replace").replace("\r\n", "\n")
    findings: list[Finding]
    picture = b""
    try:
        findings = check_count(count(shapes(page)), rules)
        picture = as_png(pdf_page(page))
    except TooMany as many:
        findings = [*check_count(many.count, rules), undrawn()]
    except (pypdfium2.PdfiumError, ValueError, MemoryError):
        findings = [undrawn()]
    return Document("page", tuple(text_tables(text, rules)), text, picture, findings=tuple(findings))


def _in_dictionaries(document: pypdfium2.PdfDocument) -> Iterator[Finding]:
    out = io.BytesIO()
    document.save(out)
    plain = STREAM.sub(b"", out.getvalue())
    for name in sorted({found.group(1) for found in ACTS.finditer(plain)}):
        yield active(name.decode())
    for name in sorted({found.group(1) for found in HIDES.finditer(plain)}):
        yield _hidden(name.decode(), is_closed=name in CLOSED)


def _around(content: bytes) -> Iterator[Finding]:
    # What a later version of the file took out is still in it; so is what stands before its head or behind its end.
    ends = list(END.finditer(content))
    allowed = LINEARIZED_ENDS if b"/Linearized" in content[:1024] else 1
    behind = content[ends[-1].end() :].strip(b"\x00\r\n\t ") if ends else b""
    if len(ends) > allowed or behind or not content.startswith(b"%PDF-"):
        stopped = block(
            "pdf.layers",
            "파일 안에 이전 판이나 덧붙은 내용이 남아 있습니다. 새로 저장하거나 PNG로 바꾸세요.",
            "The file still holds an earlier version of itself, or something behind its end. Save it anew, or as PNG.",
        )
        yield mended_by(stopped, "rasterise")


def _hidden(name: str, *, is_closed: bool) -> Finding:
    if is_closed:
        found = block(
            "pdf.attached",
            "첨부 파일이나 암호화된 부분이 있어 점검할 수 없습니다. 빼고 다시 저장하거나 PNG로 바꾸세요.",
            "It holds attached files or encrypted parts that cannot be checked. Save it without them, or as PNG.",
            place=f"/{name}",
        )
    else:
        found = warn(
            "pdf.hidden",
            "켜고 끄는 층이나 프로그램이 남긴 자료(메타데이터)가 있습니다. 보이는 것과 다를 수 있습니다.",
            "It holds layers that can be switched, or data left by a program: there may be more than is seen.",
            place=f"/{name}",
        )
    return mended_by(found, "rasterise")


def _locked() -> ParseRefused:
    return ParseRefused(
        "parse.locked",
        "암호가 걸린 PDF는 점검할 수 없습니다. 암호 없이 저장해 제출하세요.",
        "A PDF with a password cannot be checked. Save it without one.",
    )


def _broken() -> ParseRefused:
    return ParseRefused(
        "parse.pdf",
        "PDF로 읽을 수 없습니다. 다시 저장하거나 PNG로 제출하세요.",
        "This cannot be read as a PDF. Save it again, or submit a PNG.",
    )


def _too_long(pages: int) -> ParseRefused:
    return ParseRefused(
        "parse.pages",
        f"PDF가 {pages}쪽입니다({MOST_PAGES}쪽까지). 필요한 쪽만 제출하세요.",
        f"The PDF has {pages} pages (at most {MOST_PAGES}). Submit the pages that are needed.",
    )
