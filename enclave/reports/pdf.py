"""A report as PDF: A4, Korean fonts embedded, the checkpoint with its QR code on every page.

The same document gives the same bytes with the same fonts and release of ReportLab: no date, no random id (its
`invariant` mode). Fonts are Nanum's, which the set-up installs (`fonts-nanum`, OFL).
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, PageTemplate, Paragraph, Spacer
from reportlab.platypus import Table as Grid

from enclave.errors import Unavailable
from enclave.reports.document import Document, Pair, Section, Table

FOLDER = Path("/usr/share/fonts/truetype/nanum")
FONTS = {"Nanum": "NanumGothic.ttf", "NanumBold": "NanumGothicBold.ttf", "NanumMono": "NanumGothicCoding.ttf"}
SIDE, TOP, FOOT = 14 * mm, 16 * mm, 44 * mm
QR = 30 * mm
WIDTH = A4[0] - 2 * SIDE
GRAY, RED = colors.HexColor("#444444"), colors.HexColor("#8b0000")
# A table's row may not be taller than a page: longer texts go on in rows of their own.
MOST_CHARS = 1_200
# What has to be left of a page for a section to begin on it: its head, a table's head and a row.
BEGINS = 34 * mm
# From so many columns on a table is set smaller and closer: a year's months, each up to a million.
MANY = 10


def draw(found: Document) -> bytes:
    """Return the file. Raises `Unavailable` (`report.no-font`) where the Korean fonts are not installed."""
    _fonts()
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer, pagesize=A4, invariant=1, title=found.title[0], author="Ansim", lang="ko",
        leftMargin=SIDE, rightMargin=SIDE, topMargin=TOP, bottomMargin=FOOT,
    )  # fmt: skip
    frame = Frame(SIDE, FOOT, WIDTH, A4[1] - TOP - FOOT, 0, 0, 0, 0)
    image = ImageReader(io.BytesIO(found.sheet.png(module_px=4))) if found.sheet else None
    template.addPageTemplates(
        PageTemplate("every", [frame], onPage=lambda canvas, _template: _foot(canvas, found, image))
    )
    template.build(_story(found), canvasmaker=_Numbered)
    return buffer.getvalue()


class _Numbered(Canvas):
    """Writes "3 / 8" on each page: how many there are is known at the end, so pages are kept until then."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        """Keep the page and begin the next one."""
        self._kept.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined] # the stubs lack it

    def save(self) -> None:
        """Write all pages, each with its number."""
        for page in self._kept:
            self.__dict__.update(page)
            self.setFont("Nanum", 8)
            self.setFillColor(GRAY)
            self.drawRightString(A4[0] - SIDE, 9 * mm, f"{self.getPageNumber()} / {len(self._kept)}")
            super().showPage()
        super().save()


@cache
def _fonts() -> None:
    try:
        for name, file in FONTS.items():
            pdfmetrics.registerFont(TTFont(name, FOLDER / file))
    except (TTFError, OSError) as error:
        raise Unavailable(
            "report.no-font",
            ko=f"한글 글꼴이 없어 PDF를 만들지 못했습니다({FOLDER}).",
            en=f"The Korean fonts are not installed ({FOLDER}); no PDF was made.",
            remedy_ko="운영자에게 fonts-nanum 설치를 요청하세요. HTML은 그대로 받을 수 있습니다.",
            remedy_en="Ask an operator to install fonts-nanum. The HTML file is there all the same.",
        ) from error


def _style(name: str, size: float, font: str = "Nanum", **more: Any) -> ParagraphStyle:
    # Korean breaks between any two letters where a word is too long for its column.
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.45, wordWrap="CJK", **more)


TITLE = _style("title", 18, "NanumBold", spaceAfter=4 * mm)
HEAD = _style("head", 12, "NanumBold", spaceBefore=6 * mm, spaceAfter=2 * mm)
BODY = _style("body", 9.5, spaceAfter=1.5 * mm)
CELL = _style("cell", 8)
NUMBER = _style("number", 8, alignment=2)
LABEL = _style("label", 8, "NanumBold")
SMALL_CELL = _style("small-cell", 6)
SMALL_NUMBER = _style("small-number", 6, alignment=2)
SMALL_LABEL = _style("small-label", 6, "NanumBold")
NOTE = _style(
    "note",
    9.5,
    "NanumBold",
    textColor=RED,
    borderColor=RED,
    borderWidth=1,
    borderPadding=6,
    leftIndent=6,
    rightIndent=6,
    spaceBefore=8,
    spaceAfter=8,
)


def _story(found: Document) -> list[Flowable]:
    story: list[Flowable] = [Paragraph(_both(found.title), TITLE), *_facts(found.about)]
    if found.boxes:
        story += [Spacer(0, 3 * mm), _boxes(found.boxes)]
    for section in found.sections:
        story += _section(section)
    return story


def _section(found: Section) -> list[Flowable]:
    story: list[Flowable] = [CondPageBreak(BEGINS), Paragraph(_both(found.title), HEAD)]
    if found.note:
        story.append(Paragraph(_both(found.note), NOTE))
    story += [Paragraph(_both(each), BODY) for each in found.text]
    story += _facts(found.facts)
    if found.table:
        story.append(_table(found.table))
    return story


def _facts(found: tuple[tuple[Pair, str], ...]) -> list[Flowable]:
    if not found:
        return []
    rows = [[Paragraph(_both(label), LABEL), Paragraph(_lines(value), CELL)] for label, value in found]
    return [_grid(rows, [WIDTH * 0.3, WIDTH * 0.7], heads=0), Spacer(0, 2 * mm)]


def _table(found: Table) -> Flowable:
    whole = sum(column.width for column in found.columns)
    many = len(found.columns) > MANY
    label, cell, number = (SMALL_LABEL, SMALL_CELL, SMALL_NUMBER) if many else (LABEL, CELL, NUMBER)
    heads = [Paragraph(_over(column.head), label) for column in found.columns]
    rows = [
        [
            Paragraph(_lines(text), number if column.number else cell)
            for text, column in zip(row, found.columns, strict=True)
        ]
        for long in found.rows
        for row in _cut(long)
    ]
    widths = [WIDTH * column.width / whole for column in found.columns]
    return _grid([heads, *rows], widths, heads=1, gap=1.5 if many else 6)


def _cut(row: tuple[str, ...]) -> list[tuple[str, ...]]:
    parts = max(1, *(-(-len(text) // MOST_CHARS) for text in row))
    return [tuple(text[at * MOST_CHARS : (at + 1) * MOST_CHARS] for text in row) for at in range(parts)]


def _boxes(found: tuple[Pair, ...]) -> Flowable:
    heads = [Paragraph(_both(each), LABEL) for each in found]
    return _grid([heads, [""] * len(found)], [WIDTH / len(found)] * len(found), heads=1, heights=[None, 18 * mm])


def _grid(
    rows: list[Any], widths: list[float], *, heads: int, heights: list[float | None] | None = None, gap: float = 6
) -> Grid:
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#888888")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (0, 0), (-1, -1), gap),
        ("RIGHTPADDING", (0, 0), (-1, -1), gap),
    ]
    style.append(("BACKGROUND", (0, 0), (-1, 0) if heads else (0, -1), colors.HexColor("#eef1f4")))
    return Grid(rows, colWidths=widths, rowHeights=heights, repeatRows=heads, style=style, hAlign="LEFT")


def _foot(canvas: Canvas, found: Document, image: ImageReader | None) -> None:
    canvas.saveState()
    canvas.setStrokeColor(GRAY)
    canvas.line(SIDE, FOOT - 3 * mm, A4[0] - SIDE, FOOT - 3 * mm)
    left, y = SIDE, FOOT - 8 * mm
    if image is not None:
        canvas.drawImage(image, SIDE, 8 * mm, QR, QR)
        left = SIDE + QR + 3 * mm
    canvas.setFont("NanumMono", 6.5)
    canvas.setFillColor(GRAY)
    for line in [*(found.sheet.lines if found.sheet else ()), f"SHA-256 {found.source}"]:
        canvas.drawString(left, y, line)
        y -= 3.4 * mm
    canvas.setFont("Nanum", 8)
    canvas.drawString(left, 9 * mm, found.title[0])
    canvas.restoreState()


def _both(pair: Pair) -> str:
    small = f' <font size="-1.5" color="#444444">{escape(pair[1])}</font>' if pair[1] else ""
    return escape(pair[0]) + small


def _over(pair: Pair) -> str:
    # In a column's head the English stands below: beside the Korean it would be cut within a word.
    return _both(pair).replace(" <font", "<br/><font", 1) if pair[1] else _both(pair)


def _lines(text: str) -> str:
    return "<br/>".join(escape(each) for each in text.splitlines()) or "–"
