"""Is what the code wrote again what was submitted? Bytes, or numbers within tolerance, or pictures that look alike.

Runs in the sealed child; both files are hostile. What the parser cannot read counts as different.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import imagehash
import numpy as np
from PIL import Image, ImageChops, ImageFilter

from enclave.airlock.document import Document
from enclave.airlock.parse import parse
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules

RELATIVE, ABSOLUTE = 1e-6, 1e-9
# Of the 64 bits of a perceptual hash (Zauner 2010): fonts and antialiasing move a few, another picture some thirty.
LIKE_BITS, HASH_SIZE = 4, 8
# The hash sees the whole and not one bar, one dot, one small number more. So no nine pixels together may differ by more
# than this of 255: saved anew as JPEG they do by 40, a line a little thicker by 15; a bar moved by a hair by 97.
LIKE_NEAR = 64
PICTURE = "picture"
SHOWN = 50
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# What differs from run to run and says nothing: moments, durations, addresses of objects.
PASSING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?|\b\d\d:\d\d:\d\d\b|\b0x[0-9a-f]{6,}\b|\b\d+(\.\d+)? ?(m|µ|u|n)?s\b"
)


@dataclass(frozen=True)
class Same:
    """`how`: bytes, numbers, picture, or nothing when they differ; `rows`: place, submitted, again, of differences."""

    how: str
    rows: tuple[tuple[str, str, str], ...] = ()


def same(submitted: bytes, again: bytes, name: str, rules: CheckRules) -> Same:
    """Compare a file with what the code wrote under its name."""
    if submitted == again:
        return Same("bytes")
    try:
        first, second = parse(submitted, name, rules), parse(again, name, rules)
    except ParseRefused:
        return Same("", (("", "", "?"),))
    pairs = list(zip_longest(first.walk(), second.walk()))
    rows: list[tuple[str, str, str]] = []
    for one, two in pairs:
        if one is None or two is None:
            rows.append((one[0] if one else two[0], "+" if one else "-", "-" if one else "+"))
        else:
            rows += _differences(one[1], two[1], one[0])
    pictures = any(part.kind == "picture" for _, part in first.walk())
    return Same("", tuple(rows[:SHOWN])) if rows else Same("picture" if pictures else "numbers")


def _differences(first: Document, second: Document, label: str) -> Iterator[tuple[str, str, str]]:
    if first.kind == second.kind == "picture":
        bits, near = _distance(first.picture, second.picture)
        if bits > LIKE_BITS or near > LIKE_NEAR:
            yield label, PICTURE, f"{bits}/64, {near}/255"
        return
    before, after = list(_cells(first)), list(_cells(second))
    for one, two in zip_longest(before, after, fillvalue=("", "")):
        if not _alike(one[1], two[1]):
            yield f"{label} {one[0] or two[0]}".strip(), one[1][:100], two[1][:100]


def _cells(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every cell, or of every line where there is no table."""
    if document.is_prose or not document.tables:
        for number, line in enumerate(document.text.splitlines(), start=1):
            yield f"L{number}", line
        return
    for table in document.tables:
        for number, row in enumerate((table.columns, *table.rows), start=1):
            for place, cell in enumerate(row, start=1):
                yield f"{table.label} R{number} C{place}".strip(), cell


def _alike(one: str, two: str) -> bool:
    """Whether two texts are the same but for the last digits of their numbers, and for moments and durations."""
    if one.strip() == two.strip():
        return True
    one, two = PASSING.sub("", one), PASSING.sub("", two)
    if NUMBER.sub("#", one).split() != NUMBER.sub("#", two).split():
        return False
    return all(_near(a, b) for a, b in zip(NUMBER.findall(one), NUMBER.findall(two), strict=True))


def _near(one: str, two: str) -> bool:
    a, b = float(one.replace(",", "")), float(two.replace(",", ""))
    return abs(a - b) <= max(ABSOLUTE, RELATIVE * max(abs(a), abs(b)))


def _distance(one: bytes, two: bytes) -> tuple[int, int]:
    """Return in how many of 64 bits the perceptual hashes differ, and by how much of 255 the most different place does.

    (64, 255) where one is no picture or another size.
    """
    pictures = []
    for each in (one, two):
        try:
            with Image.open(io.BytesIO(each), formats=("PNG", "JPEG")) as picture:
                pictures.append(picture.convert("RGB"))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return HASH_SIZE * HASH_SIZE, 255
    first, second = pictures
    if first.size != second.size:
        return HASH_SIZE * HASH_SIZE, 255
    bits = imagehash.phash(first, hash_size=HASH_SIZE) - imagehash.phash(second, hash_size=HASH_SIZE)
    apart = ImageChops.difference(*(each.filter(ImageFilter.BoxBlur(1)) for each in pictures))
    return int(bits), int(np.asarray(apart).max())
