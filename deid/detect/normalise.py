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
from itertools import pairwise

# Not dashes by category, yet typed as such; stops and commas of other keyboards; the two controls that are text.
_ALIKE = {
    **dict.fromkeys("−ー─━ㅡ", "-"),
    **dict.fromkeys("．。｡", "."),
    **dict.fromkeys("・ㆍ∙‧", "·"),
    **dict.fromkeys("，、", ","),
    "：": ":",
    **dict.fromkeys("【〔［", "["),
    **dict.fromkeys("】〕］", "]"),
    "\n": "\n",
    "\r": "\n",
    "\v": "\n",
    "\f": "\n",
    "\t": " ",
}
_KEPT_CONTROLS = "\n\t\v\f"
# A line break inside a number, an address on the web or a record code: either side is such a character.
_SPLIT_NUMBER = re.compile(r"(?<=[0-9A-Za-z\-/.@*_])[ ]?\n[ ]{0,4}(?=[0-9A-Za-z\-/.@*_])")
# Labels and names spread out on forms ("등 록 번 호 : ", "김 보 람"), and the dots that lead to a value.
_SPREAD = re.compile(
    r"(?<![가-힣])[가-힣](?:[ ]{1,6}[가-힣]){2,7}(?![가-힣])|(?<=: )[가-힣][ ][가-힣](?![가-힣])|"
    r"(?<![가-힣])[가-힣][ ]{1,6}[가-힣](?=[ ]{0,3}:)"
)
_LEADER = re.compile(r"[ ]?[.·…_]{3,40}(?=[ ])")
_SPACES = re.compile("[ ]{1,6}")
_DIGITS = frozenset("0123456789")
_SIGNS = frozenset("-/@_.*")
_LETTER_DIGIT = re.compile(r"[A-Za-z]\d")
_STOP_IN_CODE = re.compile(r"[A-Za-z0-9]\.$")
# A code that goes on with digits: digits among its letters, or the lone letter of a passport.
_CODE_BEFORE = re.compile(r"[0-9][A-Za-z]{1,3}$|(?<![A-Za-z0-9])[A-Za-z]$")
_LONGEST_CODE = 6
_MIN_WRAPPED_LINES = 2
_FEWEST_TABS = 2
_DEEPEST_INDENT = 8
_MIN_WRAP_WIDTH = 20
# Of a line that holds no cut only so much is read again beside one that does.
_BESIDE_CUT = 400
# Any but the characters that stand for one character and compose with nothing: most notes hold none.
_ODD = re.compile(
    "[^\n\t -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u03ff\u2010-\u2027\u2190-\u22ff\u2460-\u26ff"
    "\u3000-\u3029\u3030-\u303f\u3131-\u3163\u3200-\u33ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]"
)


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
    if "\t" in text:
        text = _columns(text)
    if not _ODD.search(text):
        return View(text.translate(_FOLDED), array("L", range(len(text))), array("L", range(1, len(text) + 1)))
    characters: list[str] = []
    starts, ends = array("L"), array("L")
    for start, end, cluster in _clusters(text):
        folded = _fold(cluster)
        characters.append(folded)
        starts.extend([start] * len(folded))
        ends.extend([end] * len(folded))
    return View("".join(characters), starts, ends)


def _columns(text: str) -> str:
    """Return the text with bars for the tabs of lines that are rows of one table: with as many, two at least."""
    lines = text.split("\n")
    counts = [line.count("\t") for line in lines]
    for index, count in enumerate(counts):
        beside = count in {counts[index - 1] if index else 0, counts[index + 1] if index + 1 < len(lines) else 0}
        if count >= _FEWEST_TABS and beside:
            lines[index] = lines[index].replace("\t", "|")
    return "\n".join(lines)


def views(text: str) -> list[View]:
    """Return the readings worth searching: normalised; hard-wrapped lines joined; split numbers joined; forms drawn in.

    The joined ones hold only the lines beside such a break; nothing else differs in them.
    """
    base = normalise(text)
    cuts = [_split_numbers(base.text), _wraps(base.text)] if "\n" in base.text else []
    cuts.append(_spread(base.text))
    joined = {stretch: None for one in cuts for stretch in _stretches(base.text, one)}
    return [base, *(_without(base, start, end, within) for start, end, within in joined)]


def _stretches(text: str, cuts: list[tuple[int, int]]) -> Iterator[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Yield (start, end, cuts within) of the lines beside each cut; stretches that meet are one."""
    start, end, within = 0, -1, list[tuple[int, int]]()
    for cut in cuts:
        first = text.rfind("\n", max(0, cut[0] - _BESIDE_CUT), cut[0]) + 1 or max(0, cut[0] - _BESIDE_CUT)
        last = text.find("\n", cut[1], cut[1] + _BESIDE_CUT)
        last = min(len(text), cut[1] + _BESIDE_CUT) if last < 0 else last
        if first <= end:
            end = max(end, last)
        else:
            if within:
                yield start, end, tuple(within)
            start, end, within = first, last, []
        if not within or cut[0] >= within[-1][1]:
            within.append(cut)
    if within:
        yield start, end, tuple(within)


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the runs that NFC may compose into one character, without dropped characters: (start, end, characters)."""
    start, end, cluster = 0, 0, ""
    for index, character in enumerate(text):
        if "\uac00" <= character <= "\ud7a3" or (character.isascii() and character >= " "):
            joins = False
        elif character == "\r" and text[index + 1 : index + 2] != "\n":
            joins = False  # a line of HL7 or of an old Macintosh ends here
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


class _Folds(dict[int, str]):
    """Character -> what it is folded to, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


_FOLDED = _Folds()


def _split_numbers(text: str) -> list[tuple[int, int]]:
    """Line breaks with a digit, slash, dash or at sign on one side and a character of a code on the other."""
    return [match.span() for match in _SPLIT_NUMBER.finditer(text) if _is_one_code(text, *match.span())]


def _is_one_code(text: str, start: int, end: int) -> bool:
    """Whether what stands on both sides of a break can be one number, code or address; a sentence's end is none."""
    before, after = text[start - 1], text[end]
    if before in _DIGITS:
        return after in _DIGITS or after in _SIGNS or _LETTER_DIGIT.match(text, end) is not None
    if after in _SIGNS:
        return text[end + 1 : end + 2] not in {" ", ""}
    if before == ".":
        return _STOP_IN_CODE.search(text, max(0, start - 2), start) is not None and not after.isupper()
    if before in _SIGNS:
        return True
    return after in _DIGITS and _CODE_BEFORE.search(text, max(0, start - _LONGEST_CODE), start) is not None


def _spread(text: str) -> list[tuple[int, int]]:
    """Return the spaces inside words that are spread out, and the leaders between a label and its value."""
    gaps = [
        (match.start() + gap.start(), match.start() + gap.end())
        for match in _SPREAD.finditer(text)
        for gap in _SPACES.finditer(match.group())
    ]
    return sorted([*gaps, *(match.span() for match in _LEADER.finditer(text))])


def _wraps(text: str) -> list[tuple[int, int]]:
    """Return the breaks of a fixed-width printer: after lines of the greatest length, or one less (removed signs).

    Where all the lines that go on are indented alike, the indentation belongs to the break.
    """
    lines = text.split("\n")
    width = max(len(line) for line in lines) - 1
    if width < _MIN_WRAP_WIDTH or sum(len(line) >= width for line in lines) < _MIN_WRAPPED_LINES:
        return []
    indent = min((_indent(after) for line, after in pairwise(lines) if len(line) >= width), default=0)
    return list(_breaks(lines, width - indent, indent))


def _breaks(lines: list[str], width: int, indent: int) -> Iterator[tuple[int, int]]:
    position = 0
    for line, after in pairwise(lines):
        position += len(line)
        if len(line) >= width and (not indent or _indent(after) == indent):
            yield position, position + 1 + indent
        position += 1


def _indent(line: str) -> int:
    return min(_DEEPEST_INDENT, len(line) - len(line.lstrip(" ")))


def _without(view: View, position: int, last: int, cuts: tuple[tuple[int, int], ...]) -> View:
    """Return the characters from `position` to `last` of a view without the cuts among them."""
    starts, ends = array("L"), array("L")
    parts: list[str] = []
    for start, end in [*cuts, (last, last)]:
        parts.append(view.text[position:start])
        starts.extend(view.starts[position:start])
        ends.extend(view.ends[position:start])
        position = end
    return View("".join(parts), starts, ends)
