"""Names in parts of a form that are built alike: "출고 정가람 | 수령 감보미": what one part names, the next does.

The word before a name need not be a known role: a part with a name behind a word, and a part beside it with another
word, say together that persons are listed. So a rarer name is believed there, a spaced and a foreign one too.
"""

# ruff: noqa: PLR2004 - numbers here are counts of syllables: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deid.detect.dictionary import is_word_of_dictionary
from deid.detect.found import Found
from deid.detect.rare_name import is_role, rare_name
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_inflected
from deid.detect.syllables import COMMON_SURNAMES, SURNAMES, given_score, split_name
from deid.detect.transcribed import foreign_tail, foreign_weight, is_said

# No words of a sentence: none ends in a particle or an ending.
_WORD = r"(?:[가-힣]{0,7}[가-힣](?<![을를에의로는은한된할며고서이가와과도])|[A-Za-z]{2,12}\.?)"
_PARTED = r"[ ]{0,2}(?:[,·/|;]|→|->)[ ]{0,2}"
_NAME = r"(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){1,2}|[가-힣]{2,4})"
_OWN = re.compile(rf"(?:^|[\n,·/|;(→>.]|[ ]{{2}})[ ]?{_WORD}[ ]?[: ][ ]?$")
_RIGHT = re.compile(
    rf"[ ]?(?:님|씨|\([^()\n]{{1,14}}\))?{_PARTED}(?P<w>{_WORD})[ ]?[: ][ ]?{_NAME}"
    rf"(?=[ ]{{0,2}}(?:$|[\n,·/|;()→]|\.(?!\d)|님|씨))"
)
_LEFT = re.compile(rf"(?:^|[\n,·/|;(→>.]|[ ]{{2}})[ ]?(?P<w>{_WORD})[ ]?[: ][ ]?{_NAME}{_PARTED}{_WORD}[ ]?[: ][ ]?$")
_REACH = 40
_LEAST = -3


def parallel(text: str, names: Iterable[Found]) -> Iterator[Found]:
    """Words behind a word, in the part of a line beside one that holds a word and a name of `names`."""
    for start, end in {
        (found.start, found.end) for found in names if text[found.start - 1 : found.start] in {" ", ":"}
    }:
        before = max(0, start - _REACH)
        left = text[before:start]
        if not _OWN.search(left):
            continue
        for match, offset in ((_RIGHT.match(text, end), 0), (_LEFT.search(left), before)):
            if match and _can_be_called(match["n"], of_person=is_role(match["w"])):
                yield Found(match.start("n") + offset, match.end("n") + offset, "NAME", 0.5)


def _can_be_called(name: str, *, of_person: bool) -> bool:
    """Whether words are a name: behind a listed role even two that sound like nothing ("통역 솜라 분메")."""
    words = name.split(" ")
    if len(words) == 2 and words[0] in SURNAMES and len(words[1]) < 3:
        return given_score(words[1]) > 0
    if len(words) > 1:
        unheard = of_person and len(words) == 2 and min(map(len, words)) > 1 and foreign_weight(name) >= _LEAST
        return foreign_tail(words) == len(words) or (unheard and not any(map(is_said, words)))
    parts = split_name(name)
    if parts is None or is_common_word(name) or is_inflected(name) or is_compound(name) or is_derived(name):
        return False
    if len(parts[1]) == 1:
        return name[0] in COMMON_SURNAMES and bool(rare_name(name)[1])
    return given_score(parts[1]) > 0 and not is_word_of_dictionary(name)
