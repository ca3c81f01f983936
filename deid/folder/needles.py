"""Values that were removed, as the bytes they could still be found by: every text in many encodings.

What is too short to mean anything (two digits, one syllable) is not searched; short Latin values count only as whole
words, because a name such as Lee is inside other words and, by chance, inside pixels.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

ASCII_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
ENCODINGS = (*ASCII_ENCODINGS, "cp949", "iso2022_kr", "shift_jis", "gb18030", "latin-1")
SHORTEST_DIGITS, SHORTEST_LATIN, SHORTEST_WIDE = 5, 4, 2
FIRST_WIDE = 0x1100  # Hangul Jamo; letters from here on are syllables or ideographs
# A value this long (bytes) can be believed wherever it is; a shorter one only outside bulk data, as a whole word.
BELIEVED_ANYWHERE, BELIEVED_WIDE = 7, 6
MARKS = re.compile(r"[\s^=\-./()]+")


@dataclass(frozen=True)
class Needle:
    """One spelling of a value in bytes, lower-cased where ASCII.

    `whole` asks for ends of words around it; `anywhere` says that it cannot be among pixels by chance.
    """

    data: bytes
    encoding: str
    whole: bool
    anywhere: bool


def is_searchable(value: str) -> bool:
    """Whether a value is long enough that finding it means something."""
    letters = [each for each in value if each.isalnum()]
    wide = sum(ord(each) >= FIRST_WIDE for each in letters)
    if wide:
        return wide >= SHORTEST_WIDE
    if letters and all(each.isdigit() for each in letters):
        return len(letters) >= SHORTEST_DIGITS
    return len(letters) >= SHORTEST_LATIN


def spellings(value: str) -> set[str]:
    """Give a value as written, composed and decomposed, and with single blanks for the marks between its parts."""
    value = value.strip(" \0\t\r\n")
    joined = MARKS.sub(" ", value).strip()
    forms = {value, joined}
    if joined.replace(" ", "").isdigit():
        forms.add(joined.replace(" ", ""))
    forms = {each for each in forms if is_searchable(each)}
    if value.isascii():
        return forms
    return {unicodedata.normalize(form, each) for each in forms for form in ("NFC", "NFD")}


@lru_cache(maxsize=1024)
def needles(value: str) -> tuple[Needle, ...]:
    """Give the bytes to search for; none for a value that is too short."""
    found: dict[bytes, Needle] = {}
    for spelling in spellings(value):
        for encoding in ASCII_ENCODINGS if spelling.isascii() else ENCODINGS:
            try:
                data = spelling.encode(encoding).lower()
            except UnicodeEncodeError:
                continue
            anywhere = len(data) >= (BELIEVED_ANYWHERE if spelling.isascii() else BELIEVED_WIDE)
            found.setdefault(data, Needle(data, encoding, spelling.isascii() and not anywhere, anywhere))
    return tuple(found.values())
