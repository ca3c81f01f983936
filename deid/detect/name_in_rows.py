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
    r"(?m)^[ ]{0,2}(?:[-*·•]|\d{1,2}[.)])?[ ]{0,2}(?P<n>[가-힣]{2,4})[ ]{1,2}"
    r"(?P<k>[A-Za-z]{1,8}(?![A-Za-z])|\d{3,4}호|\d{6,10})"
)
_LEAST_ROWS = 2


def in_rows(text: str) -> Iterator[Found]:
    """Names of a list: at least two lines that begin with different possible names and go on with the same word."""
    rows: dict[str, list[re.Match[str]]] = defaultdict(list)
    for match in _ROW.finditer(text):
        rows[re.sub(r"\d+", "0", match["k"])].append(match)
    for lines in rows.values():
        likely = [match for match in lines if _can_be_a_name(match["n"])]
        named = len({match["n"] for match in likely})
        if named >= _LEAST_ROWS and 2 * len(likely) > len(lines):
            for match in likely:
                yield Found(*match.span("n"), "NAME", 0.55)


def _can_be_a_name(word: str) -> bool:
    parts = split_name(word)
    if parts is None or is_common_word(word) or is_compound(word) or is_derived(word) or is_inflected(word):
        return False
    surname, given = parts
    usual = surname in USUAL_SURNAMES or len(surname) == 2
    return given_score(given) >= 1 or (len(given) == 2 and usual)
