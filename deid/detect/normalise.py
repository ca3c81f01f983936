"""An offset-keeping normaliser: what the recognisers read, and the way back to the unmodified text.

Identifiers are disguised by accident (fax software, word processors, copy and paste) and on purpose: zero-width
characters, full-width digits, decomposed Hangul, other dashes, no-break spaces, a number split by a line break.
Recognisers see a *view* of the text in which these are undone; every character of a view knows which characters of
the unmodified text it stands for. Unicode Standard Annex #15 (NFC); Unicode general categories Cf, Mn, Nd, Pd, Zs.
Pure: no I/O, no configuration; time is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# Not dashes by category, yet typed as such; stops and commas of other keyboards; the two controls that are text.
_ALIKE = {
    **dict.fromkeys("−ー─━", "-"),
    **dict.fromkeys("．。｡", "."),
    **dict.fromkeys("・ㆍ∙‧", "·"),
    **dict.fromkeys("，、", ","),
    "：": ":",
    "\n": "\n",
    "\t": " ",
}
_KEPT_CONTROLS = "\n\t"
# A line break inside a number, an address on the web or a record code: either side is such a character.
_SPLIT_NUMBER = re.compile(r"(?<=[0-9A-Za-z\-/.@*_])[ \t]?\n[ \t]?(?=[0-9A-Za-z\-/.@*_])")
_JOINING = frozenset("-/@_.0123456789")
_MIN_WRAPPED_LINES = 2
_MIN_WRAP_WIDTH = 20


@dataclass(frozen=True, slots=True)
class View:
    """A normalised reading of a text. `starts[i]`, `ends[i]` bound what `text[i]` stands for in the original."""

    text: str
    starts: array[int]
    ends: array[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the unmodified text of the non-empty span `text[start:end]`."""
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> View:
    """NFC, format characters removed, full-width and other digits as ASCII, dashes as `-`, spaces as ` `."""
    if text.isascii() and text.isprintable():
        return View(text, array("L", range(len(text))), array("L", range(1, len(text) + 1)))
    characters: list[str] = []
    starts, ends = array("L"), array("L")
    for start, end, cluster in _clusters(text):
        folded = _fold(cluster)
        characters.append(folded)
        starts.extend([start] * len(folded))
        ends.extend([end] * len(folded))
    return View("".join(characters), starts, ends)


def views(text: str) -> list[View]:
    """Return the readings worth searching: normalised; hard-wrapped lines joined; split numbers joined."""
    base = normalise(text)
    cuts = [_split_numbers(base.text), _wraps(base.text)] if "\n" in base.text else []
    return [base, *(_without(base, cut) for cut in cuts if cut)]


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the runs that NFC may compose into one character, without dropped characters: (start, end, characters)."""
    start, end, cluster = 0, 0, ""
    for index, character in enumerate(text):
        if "\uac00" <= character <= "\ud7a3" or (character.isascii() and character >= " "):
            joins = False
        elif character not in _KEPT_CONTROLS and unicodedata.category(character) in {"Cf", "Cc"}:
            continue
        else:
            joins = _continues(character)
        if cluster and not joins:
            yield start, end, cluster
            cluster = ""
        if not cluster:
            start = index
        cluster += character
        end = index + 1
    if cluster:
        yield start, end, cluster


def _continues(character: str) -> bool:
    """Whether NFC may merge the character into the one before: combining marks, medial and final Jamo."""
    return (
        bool(unicodedata.combining(character)) or "\u1160" <= character <= "\u11ff" or "\ufe00" <= character <= "\ufe0f"
    )


def _fold(cluster: str) -> str:
    if len(cluster) == 1 and (cluster.isascii() or "\uac00" <= cluster <= "\ud7a3"):
        return _ALIKE.get(cluster, cluster)
    return "".join(_fold_one(character) for character in unicodedata.normalize("NFC", cluster))


_BY_CATEGORY = {"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n", "Cf": "", "Mn": "", "Me": "", "Cc": ""}


@cache
def _fold_one(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _ALIKE:
        return _ALIKE[character]
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    if "\uff01" <= character <= "\uffdc" or "\U0001d400" <= character <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", character)
    return character


def _split_numbers(text: str) -> list[tuple[int, int]]:
    """Line breaks with a digit, slash, dash or at sign on one side and a character of a code on the other."""
    beside = ((match, text[match.start() - 1], text[match.end()]) for match in _SPLIT_NUMBER.finditer(text))
    return [match.span() for match, before, after in beside if before in _JOINING or after in _JOINING]


def _wraps(text: str) -> list[tuple[int, int]]:
    """Return the breaks of a fixed-width printer: after lines of the greatest length, or one less (removed signs)."""
    lines = text.split("\n")
    width = max(len(line) for line in lines) - 1
    if width < _MIN_WRAP_WIDTH or sum(len(line) >= width for line in lines) < _MIN_WRAPPED_LINES:
        return []
    found, position = [], 0
    for line in lines[:-1]:
        position += len(line)
        if len(line) >= width:
            found.append((position, position + 1))
        position += 1
    return found


def _without(view: View, cuts: list[tuple[int, int]]) -> View:
    starts, ends, position = array("L"), array("L"), 0
    parts: list[str] = []
    for start, end in [*cuts, (len(view.text), len(view.text))]:
        parts.append(view.text[position:start])
        starts.extend(view.starts[position:start])
        ends.extend(view.ends[position:start])
        position = end
    return View("".join(parts), starts, ends)
