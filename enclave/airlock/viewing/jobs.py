"""The sealed child's side of looking at files: open one, turn a page, draw a picture, compare two rounds."""

from __future__ import annotations

import base64
from typing import Any

from enclave.airlock.document import Document
from enclave.airlock.parse import parse
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing import compare
from enclave.airlock.viewing.ask import Ask
from enclave.airlock.viewing.page import Drawn, draw_page
from enclave.airlock.viewing.picture import draw_picture
from enclave.airlock.viewing.pieces import Piece, pieces

AT_ONCE, CHARS_AT_ONCE = 30, 2_000_000
JOBS = frozenset({"open", "page", "picture", "compare"})


def run(job: dict[str, Any], content: bytes, later: bytes = b"") -> Drawn:
    """Do one job over the bytes; the answer is ready for JSON.

    ``open``: the outline of all pieces, and the first page of up to 30 of them from ``first`` on (pictures apart).
    ``page``: the page that ``ask`` asks for. ``picture``: the piece ``piece`` as PNG in base64. ``compare``: what
    changed from the content to ``later``. Raises `IndexError` for no such piece.
    """
    if job["do"] == "compare":
        before, _ = _pieces(content, job["name"])
        after, _ = _pieces(later, job["later_name"])
        return {"pieces": compare.compare(before, after)}
    document = _document(content, job["name"])
    found, left_out = pieces(document, job["name"]) if document is not None else ([], 0)
    if job["do"] == "page":
        ask = Ask.from_json(job["ask"])
        return draw_page(_at(found, ask.piece), ask)
    if job["do"] == "picture":
        png, width, height = draw_picture(_at(found, int(job["piece"])).picture)
        return {"png": base64.b64encode(png).decode(), "width": width, "height": height}
    return {
        "kind": document.kind if document is not None else "none",
        "pieces": [piece.outline() for piece in found],
        "left_out": left_out,
        "pages": _first_pages(found, int(job["first"])),
    }


def warm() -> None:
    """Do each job once, so that nothing has to be imported after the sealing."""
    table = b"n,x\n1,a\n2,b\n"
    run({"do": "open", "name": "a.csv", "first": 0}, table)
    run({"do": "page", "name": "a.csv", "ask": Ask(sort=0, find="<3").to_json()}, table)
    run({"do": "compare", "name": "a.csv", "later_name": "a.csv"}, table, b"n,x\n1,a\n2,c\n")


def _pieces(content: bytes, name: str) -> tuple[list[Piece], int]:
    document = _document(content, name)
    return pieces(document, name) if document is not None else ([], 0)


def _document(content: bytes, name: str) -> Document | None:
    """Parse as the check did; None for what it refused: nothing of that is shown."""
    try:
        return parse(content, name, CheckRules())
    except ParseRefused:
        return None


def _at(found: list[Piece], number: int) -> Piece:
    if not 0 <= number < len(found) or found[number].kind == "refused":
        raise IndexError(number)
    return found[number]


def _first_pages(found: list[Piece], first: int) -> dict[str, Drawn]:
    """Return first pages by piece, until there is enough for one screen; the others are drawn when asked for."""
    pages: dict[str, Drawn] = {}
    chars = 0
    for number, piece in enumerate(found[first : first + AT_ONCE], first):
        if piece.kind not in {"table", "text"}:
            continue
        drawn = draw_page(piece, Ask(piece=number))
        chars += len(repr(drawn))
        if pages and chars > CHARS_AT_ONCE:
            break
        pages[str(number)] = drawn
    return pages
