"""One file for each further rule: broken, bloated, hidden, of the wrong kind; what they hold changes with the seed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import openpyxl
from matplotlib.backends.backend_pdf import PdfPages
from openpyxl.workbook.defined_name import DefinedName
from PIL import Image

from tests.enclave.airlock import drawn
from tests.enclave.airlock.office import docx, packed, paragraph
from tests.enclave.airlock.suites.case import Family, Rng
from tests.enclave.airlock.test_image import animated, png
from tests.enclave.airlock.test_pdf import PROSE, other_letters, pdf, words

Made = tuple[str, bytes]
SPACE = 'xmlns="http://www.w3.org/2000/svg" width="400" height="300" viewBox="0 0 400 300"'


def _lines(rng: Rng, head: str, *lines: str) -> bytes:
    return "\n".join([head, f"A,{rng.integers(100, 900)}", *lines, ""]).encode()


def _drawing(body: str) -> bytes:
    return f"<svg {SPACE}>{body}</svg>".encode()


def _transparent() -> bytes:
    pixels = np.zeros((40, 40, 4), dtype=np.uint8)
    pixels[..., :3] = np.random.default_rng(1).integers(0, 255, (40, 40, 3))
    out = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    return out.getvalue()


def _noisy() -> bytes:
    pixels = np.full((200, 200, 3), 200, dtype=np.uint8)
    pixels |= np.random.default_rng(1).integers(0, 2, pixels.shape, dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _workbook(change: Callable[[openpyxl.Workbook], object]) -> bytes:
    book = openpyxl.Workbook()
    for row in (["region", "n"], ["A", 120], ["B", 44]):
        book.active.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _with(content: bytes, entry: str) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(entry, "<x/>")
    return out.getvalue()


def _name(book: openpyxl.Workbook) -> None:
    book.defined_names["cohort"] = DefinedName("cohort", attr_text="Sheet!$A$1:$B$3")


def _pages(count: int) -> bytes:
    out = io.BytesIO()
    with PdfPages(out) as pages:
        for _ in range(count):
            pages.savefig(drawn.Figure(figsize=(1, 1)))
    return out.getvalue()


def _bars(rng: Rng) -> bytes:
    cells = [{"type": "bar", "y": {"dtype": "f8", "bdata": "no base64!"}}]
    return json.dumps({"data": cells, "layout": {"title": str(rng.integers(99))}}).encode()


def _line_of(rng: Rng, corners: int) -> bytes:
    return _drawing(
        '<polyline fill="none" points="' + " ".join(f"{x},{y}" for x, y in rng.integers(0, 290, (corners, 2))) + '"/>'
    )


def _locked() -> bytes:
    handler = f"<</Filter/Standard/V 1/R 2/O<{'11' * 32}>/U<{'22' * 32}>/P -4>>"
    return pdf(words(PROSE), more=handler).replace(b"trailer\n<<", b"trailer\n<</Encrypt 6 0 R/ID[<00><00>]")


BOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
MADE: dict[str, tuple[str, str, Callable[[Rng], bytes]]] = {
    "totals_that_disagree": ("cell.totals", ".csv", lambda rng: _lines(rng, "region,n", "B,*", "C,40", "D,50", "합계,30")),
    "an_age_of_ninety": ("id.age90", ".txt", lambda rng: f"가장 나이 많은 대상자는 {rng.integers(90, 109)}세였다.\n".encode()),
    "a_business_number": ("id.brn", ".txt", lambda rng: "사업자 123-45-67891\n".encode()),
    "an_address_of_a_machine": ("id.ip", ".log", lambda rng: f"connected to 10.20.30.{rng.integers(1, 255)}\n".encode()),
    "a_hospital": ("id.org", ".txt", lambda rng: f"빛고을대학교병원에서 전원한 {rng.integers(99)}명.\n".encode()),
    "too_much_text": ("id.too-much-text", ".json", lambda rng: json.dumps(["words of a note " * 40 + str(n) for n in rng.integers(0, 9, 3200)]).encode()),
    "an_animation": ("image.frames", ".png", lambda rng: animated()),
    "colours_under_nothing": ("image.hidden-pixels", ".png", lambda rng: _transparent()),
    "noise_in_the_lowest_bit": ("image.noise", ".png", lambda rng: _noisy()),
    "a_colour_profile": ("image.profile", ".png", lambda rng: png(icc_profile=rng.bytes(100))),
    "a_drawing_from_elsewhere": ("figure.external", ".svg", lambda rng: _drawing(f'<image href="http://10.0.0.{rng.integers(9)}/a.png"/>')),
    "a_drawing_hidden": ("figure.hidden", ".svg", lambda rng: _drawing(f'<text display="none">{rng.integers(99)}</text><rect width="9" height="9"/>')),
    "a_drawing_without_end": ("figure.undrawn", ".svg", lambda rng: _drawing('<circle cx="9" cy="9" r="1"/>' * 20_001)),
    "a_line_of_values": ("figure.values", ".svg", lambda rng: _line_of(rng, 200)),
    "a_tiny_curve_of_values": ("figure.values", ".svg", lambda rng: _drawing(f'<g transform="scale(0.03)">{_line_of(rng, 400).decode()}</g>')),
    "a_formula": ("office.formula", ".xlsx", lambda rng: _workbook(lambda book: book.active.append(["C", "=SUM(B2:B3)"]))),
    "a_defined_name": ("office.name", ".xlsx", lambda rng: _workbook(_name)),
    "a_pivot_cache": ("office.pivot", ".xlsx", lambda rng: _with(_workbook(lambda book: None), "xl/pivotCache/pivotCacheRecords1.xml")),
    "a_document_that_unfolds": ("parse.bomb", ".docx", lambda rng: packed({"word/document.xml": b" " * (5 << 20)})),
    "quotes_without_end": ("parse.csv", ".csv", lambda rng: _lines(rng, "region,n", '"B,44')),
    "nothing": ("parse.empty", ".csv", lambda rng: b" \n\n"),
    "no_encoding": ("parse.encoding", ".csv", lambda rng: b"n\n\xff\xff\x81\n"),
    "an_array_that_is_none": ("parse.figure", ".json", _bars),
    "a_key_twice": ("parse.json", ".json", lambda rng: f'{{"n": {rng.integers(99)}, "n": 4}}'.encode()),
    "a_locked_page": ("parse.locked", ".pdf", lambda rng: _locked()),
    "a_line_without_end": ("parse.long-line", ".csv", lambda rng: b"n\n" + b"1" * 9_000_000),
    "no_notebook": ("parse.notebook", ".ipynb", lambda rng: json.dumps({**BOOK, "cells": [{"cell_type": "code", "source": 1}]}).encode()),
    "many_pages": ("parse.pages", ".pdf", lambda rng: _pages(21)),
    "half_a_parquet": ("parse.parquet", ".parquet", lambda rng: b"PAR1" + rng.bytes(60)),
    "many_cells_of_a_notebook": ("parse.parts", ".ipynb", lambda rng: json.dumps({**BOOK, "cells": [{"cell_type": "raw", "metadata": {}, "source": "a"}] * 600}).encode()),
    "half_a_page": ("parse.pdf", ".pdf", lambda rng: b"%PDF-1.7\n" + str(rng.integers(99)).encode()),
    "many_columns": ("parse.size", ".csv", lambda rng: ",".join(["n"] * int(rng.integers(501, 900))).encode() + b"\n"),
    "half_a_drawing": ("parse.svg", ".svg", lambda rng: _drawing("")[:-3]),
    "entities": ("parse.xml", ".docx", lambda rng: docx(more={"word/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'})),
    "a_tail_behind_a_document": ("parse.zip", ".docx", lambda rng: docx(paragraph("a")) + rng.bytes(50)),
    "an_attachment": ("pdf.attached", ".pdf", lambda rng: pdf(words(PROSE), catalog="/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>", more="<</Type/Filespec/F(a.csv)>>")),
    "a_program_left_data": ("pdf.hidden", ".pdf", lambda rng: pdf(words(PROSE), catalog="/PieceInfo<</X 6 0 R>>", more="<</Private(x)>>")),
    "an_earlier_version": ("pdf.layers", ".pdf", lambda rng: pdf(words(PROSE)) + b"more"),
    "other_letters_than_seen": ("pdf.text", ".pdf", lambda rng: other_letters()),
    "as_many_rows_as_people": ("row.per-subject", ".csv", lambda rng: b"g,mean\n" + b"".join(b"a%d,1.5\n" % (n % 7) for n in range(640))),
    "no_header": ("table.no-header", ".csv", lambda rng: b"120,44\n300,90\n"),
    "ragged_rows": ("table.ragged", ".csv", lambda rng: _lines(rng, "region,n,mean", "B,44,1.5")),
    "a_long_text": ("text.long", ".txt", lambda rng: b"".join(b"step %d done\n" % n for n in range(1200))),
    "an_encrypted_file": ("type.encrypted", ".txt", lambda rng: b"age-encryption.org/v1\n" + rng.bytes(40)),
    "another_ending": ("type.ending", ".js", lambda rng: b"console.log(1)\n"),
}  # fmt: skip


def _family(ending: str, make: Callable[[Rng], bytes]) -> Family:
    return lambda rng: (ending, make(rng))


BROKEN: dict[str, tuple[Family, frozenset[str]]] = {
    name: (_family(ending, make), frozenset({rule})) for name, (rule, ending, make) in MADE.items()
}
