"""Text that can be copied from a page against the letters that are seen on it.

A font can map what is drawn to other letters, and text can be white, or behind a picture. Both readings are searched
for identifiers anyway; where they do not agree a person should know. Words alone are compared: the digits along an axis
are misread too often to mean anything.
"""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise

from PIL import Image

from enclave.airlock.checks.findings import block, mended_by, warn
from enclave.airlock.document import Document
from enclave.airlock.figures import letters
from enclave.airlock.report import Finding

FEW, MANY = 20, 60  # letters that stand in the text: too few to tell, enough to be sure
ODD, OTHER = 0.5, 0.2  # share of neighbouring letters that are seen as well


def check_reading(document: Document) -> list[Finding]:
    """Compare the text of a page with what is read from its picture."""
    written = _letters(document.text)
    # The text of other figures holds more than is drawn: what their parts are called, and what made them.
    if document.kind != "page" or not document.picture or len(written) < FEW or not letters.is_available():
        return []
    with Image.open(io.BytesIO(document.picture), formats=("PNG",)) as picture:
        share = _share(written, _letters(letters.read(picture)))
    if share >= ODD:
        return []
    ko = f"글자로 담긴 내용의 {share:.0%}만 화면에 보입니다. 다른 글자로 그려지거나 숨은 글이 있습니다."
    en = f"Only {share:.0%} of the text in it is seen on the page: drawn as other letters, or hidden."
    finding = block if share < OTHER and len(written) >= MANY else warn
    return [mended_by(finding("pdf.text", ko, en), "rasterise")]


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _share(written: str, seen: str) -> float:
    # Pairs of neighbours, as often as they occur: the order of columns and lines plays no part.
    wanted, there = (Counter(pairwise(text)) for text in (written, seen))
    return (wanted & there).total() / max(1, wanted.total())
