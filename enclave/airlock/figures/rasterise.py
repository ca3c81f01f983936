"""Vector figures as pixels: the one-step repair `rasterise` (R59), and what checkers see of an SVG or PDF.

Pure: bytes in, the bytes of a PNG out; nothing of the original but its looks comes along. Drawn by resvg and PDFium:
neither runs scripts, opens a network or starts a thread.
"""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import resvg_py
from PIL import Image

from enclave.airlock.figures.redraw import as_png

FONTS = Path("/usr/share/fonts")
WIDTH = 1600  # px
MOST_PAGES, GAP = 20, 20
FAMILY = "NanumGothic"


def svg_png(text: str) -> bytes:
    """Draw an SVG, 1600 px wide, on white. Raises `ValueError` for what cannot be drawn."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=text,
            width=WIDTH,
            dpi=96,  # how long a point or a centimetre is (CSS); 0 makes them nothing
            background="white",
            skip_system_fonts=True,
            font_dirs=[str(FONTS)] if FONTS.is_dir() else [],
            font_family=FAMILY,
            sans_serif_family=FAMILY,
            serif_family=FAMILY,
            monospace_family=FAMILY,
        )
    )


def pdf_page(page: pypdfium2.PdfPage) -> Image.Image:
    """Draw one page of a PDF, 1600 px wide, on white, with its annotations."""
    width, height = page.get_size()
    scale = WIDTH / max(width, height, 1)
    picture: Image.Image = page.render(scale=scale, may_draw_forms=False, draw_annots=True).to_pil()
    return picture.convert("RGB")


def pdf_png(content: bytes) -> bytes:
    """Draw the pages of a PDF below each other. Raises `ValueError` for more than 20 pages or no PDF."""
    document = pypdfium2.PdfDocument(content)
    if not 0 < len(document) <= MOST_PAGES:
        raise ValueError(f"between 1 and {MOST_PAGES} pages can be made a picture")
    return as_png(_stacked([pdf_page(document[number]) for number in range(len(document))]))


def rasterise(content: bytes) -> bytes:
    """Make pixels of an SVG or PDF. Raises `ValueError` for anything else, and for what cannot be drawn."""
    if content.startswith(b"%PDF-"):
        try:
            return pdf_png(content)
        except pypdfium2.PdfiumError as refused:
            raise ValueError("the PDF cannot be opened") from refused
    drawn = svg_png(content.decode("utf-8-sig"))
    with Image.open(io.BytesIO(drawn), formats=("PNG",)) as picture:
        return as_png(picture.convert("RGB"))


def _stacked(pages: list[Image.Image]) -> Image.Image:
    height = sum(page.height for page in pages) + GAP * (len(pages) - 1)
    whole = Image.new("RGB", (max(page.width for page in pages), height), "#888888")
    top = 0
    for page in pages:
        whole.paste(page, (0, top))
        top += page.height + GAP
    return whole
