"""Names at the starts of lines that go on alike: a list of people, one a line ("가나다 BP 120/80").

One line says nothing: "전립선 PSA 5.4" has the same look. Two lines with different words that could be names before the
same Latin word or the same kind of number are a list of persons, even where their given names are rare.
"""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and lines: they are the rules themselves

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_inflected
from deid.detect.syllables import USUAL_SURNAMES, given_score, split_name

_ROW = re.compile(
    r"(?m)^[ ]{0,2}(?:[-*·•]|\d{1,2}[.)])?[ ]{0,2}(?P<n>[가-힣]{2,4})(?:[ ]{1,8}"
    r"(?P<k>[A-Za-z]{1,8}(?![A-Za-z])|\d{3,4}호|\d{6,10})|[ ]?(?P<s>[:>])[ ])"
)
# A telephone number on one side, a day, a relation or an end on the other: who can be called there.
_CALLED = re.compile(
    r"01[016789][ .-]?\d{3,4}[ .-]?\d{4}[ ]{1,2}(?P<n>[가-힣]{2,6}(?:[ ][가-힣]{1,6}){0,2}?)"
    r"(?=[ ]{1,2}(?:\d{4}[-./년]|\d{2}[-./]\d|\d{1,2}[ ]?[월/]|"
    r"(?:모친|부친|어머니|아버지|배우자|자녀|보호자|본인)(?![가-힣]))"
    r"|[ ]{0,2}(?:\n|$))"
)
# Sex and age or the papers of a foreigner behind the words at the start of a line or item: whose they are.
_IDENTIFIED = re.compile(
    r"(?:^|[\n:#]|\d일?)[ ]{1,2}(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){0,2}?)"
    r"(?=[ ]{1,2}\(?(?:(?:배우자|모친|부친|자녀|아들|딸|동료|동거인|형제|자매)(?![가-힣])|여권|외국인등록|등록증|국적|"
    r"[A-Z]-\d{6}|\d{2}-\d{6}|\d{7,9}(?!\d)|[MF남여]/\d{1,3}(?!\d)|\d{1,3}/[MF남여]))"
)
# Lines of a list that begin alike, with a number, an hour or a bed, and what is called behind it.
_NUMBERED = re.compile(
    r"(?m)^[ ]{0,2}(?P<k>(?:[가-힣]{1,3}[ ]?)?\d{1,4}(?::\d\d|[-.)번호])?\d?)[ ]{1,2}"
    r"(?P<n>[가-힣]{2,7}(?:[ ][가-힣]{2,6})?)(?![가-힣])"
)
_SHIFTS = frozenset(["D", "E", "N", "OFF", "Off", "off", "M", "O"])
_LEAST_ROWS = 2
_LEAST_NUMBERED = 3
_LEAST_SYLLABLES = 3


def in_rows(text: str) -> Iterator[Found]:
    """Names of a list: at least two lines that begin with different possible names and go on with the same word."""
    rows: dict[str, list[re.Match[str]]] = defaultdict(list)
    for match in _ROW.finditer(text):
        rows[_kind(match)].append(match)
    for lines in rows.values():
        likely = [match for match in lines if _can_be_a_name(match["n"])]
        named = len({match["n"] for match in likely})
        if named >= _LEAST_ROWS and 2 * len(likely) > len(lines):
            for match in likely:
                yield Found(*match.span("n"), "NAME", 0.55)


def _kind(row: re.Match[str]) -> str:
    """Return what a line goes on with: the same word, any number, a shift of a duty roster, what somebody says."""
    if row["s"]:
        return ":"
    return "D" if row["k"] in _SHIFTS else re.sub(r"\d+", "0", row["k"])


def identified(text: str) -> Iterator[Found]:
    """Names, foreign ones too, that stand between a number and what only a person has (a passport, sex and age)."""
    for pattern in (_CALLED, _IDENTIFIED):
        for match in pattern.finditer(text):
            words = match["n"].split(" ")
            said = any(is_common_word(w) or is_inflected(w) or is_compound(w) or is_derived(w) for w in words)
            if not said and (len("".join(words)) >= _LEAST_SYLLABLES or _can_be_a_name(match["n"])):
                yield Found(*match.span("n"), "NAME", 0.55)


def numbered(text: str) -> Iterator[Found]:
    """Foreign names in a numbered list whose other lines name persons at the same place."""
    rows: dict[str, list[re.Match[str]]] = defaultdict(list)
    for match in _NUMBERED.finditer(text):
        rows[re.sub(r"\d+", "0", re.sub(r"[가-힣]", "가", match["k"]))].append(match)
    for lines in rows.values():
        strange = [match for match in lines if not _looks_korean(match["n"].split()[0])]
        if len(lines) >= _LEAST_NUMBERED and 0 < 2 * len(strange) < len(lines):
            for match in strange:
                called = [word for word in match["n"].split() if not is_common_word(word)]
                if match["n"].startswith(" ".join(called)) and called and not any(map(is_inflected, called)):
                    yield Found(match.start("n"), match.start("n") + len(" ".join(called)), "NAME", 0.5)


def _looks_korean(word: str) -> bool:
    parts = split_name(word)
    return parts is not None and given_score(parts[1]) > 0 and not is_common_word(word)


def _can_be_a_name(word: str) -> bool:
    parts = split_name(word)
    if parts is None or is_common_word(word) or is_compound(word) or is_derived(word) or is_inflected(word):
        return False
    surname, given = parts
    usual = surname in USUAL_SURNAMES or len(surname) == 2
    return given_score(given) >= 1 or (len(given) == 2 and usual)
