"""Drawing a preview inside the sealed child: plain cells, plain lines, or a picture made anew from its pixels."""

from __future__ import annotations

import io
import unicodedata
from typing import TypedDict

from PIL import Image, ImageOps

from enclave.airlock.document import Table
from enclave.airlock.parse import parse
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules

ROWS, COLUMNS, LINES, CELL_CHARS, LINE_CHARS, EDGE = 50, 30, 200, 200, 1000, 1600
UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


class Drawn(TypedDict, total=False):
    """What a preview holds, ready for JSON (``png`` apart); what does not apply is left out."""

    kind: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[str]
    total_rows: int
    total_columns: int
    width: int
    height: int
    png: bytes


def draw(content: bytes, name: str) -> Drawn:
    """Draw the start of a file. Refused types and damaged files come out as kind ``none``: nothing is shown."""
    try:
        document = parse(content, name, CheckRules())
    except ParseRefused:
        return {"kind": "none"}
    if document.kind == "picture":
        return _draw_picture(document.picture)
    if document.kind == "table" and document.tables:
        return _draw_table(document.tables[0])
    lines = document.text.splitlines()
    shown = [visible(line, LINE_CHARS) for line in lines[:LINES]]
    return {"kind": document.kind, "lines": shown, "total_rows": len(lines)}


def visible(text: str, limit: int) -> str:
    """Show what cannot be seen (control, direction, zero-width characters) as escapes, and cut long texts with ``…``.

    The result is plain text, not HTML: a page must still escape it.
    """
    shown = "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in UNSEEN else c for c in text[: limit + 1])
    return f"{shown[:limit]}…" if len(shown) > limit else shown


def _draw_table(table: Table) -> Drawn:
    return {
        "kind": "table",
        "columns": [visible(name, CELL_CHARS) for name in table.columns[:COLUMNS]],
        "rows": [[visible(cell, CELL_CHARS) for cell in row[:COLUMNS]] for row in table.rows[:ROWS]],
        "total_rows": len(table.rows),
        "total_columns": len(table.columns),
    }


def _draw_picture(content: bytes) -> Drawn:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
        width, height = picture.size
        if width * height > CheckRules().max_pixels:
            return {"kind": "none"}
        # New pixels in a new image: no chunk, profile or trailing byte of the original comes along.
        pixels = ImageOps.exif_transpose(picture).convert("RGBA" if "A" in picture.getbands() else "RGB")
        pixels.thumbnail((EDGE, EDGE))
        clean = Image.new(pixels.mode, pixels.size)
        clean.paste(pixels)
    out = io.BytesIO()
    clean.save(out, "PNG")
    return {"kind": "picture", "width": width, "height": height, "png": out.getvalue()}
