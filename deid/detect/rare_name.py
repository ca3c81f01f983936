"""Rare names: what begins with a surname, is made of syllables that names have, and is no word of a dictionary.

Statistics of given names know the usual ones. A rare one ("김려설") tells itself by not being a word: no noun, verb or
place of the dictionary begins it (`lexicon/dictionary_words.txt`), nothing listed is glued to anything in it. Where a
dictionary word does begin it ("안유작"), and for names of two syllables, what stands around must speak for a person.
"""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache

from deid.detect.cues import PARTICLES
from deid.detect.found import Found
from deid.detect.hangul import hangul_words
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_inflected, is_listed
from deid.detect.syllables import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    FIRST,
    ONE,
    SECOND,
    USUAL_SURNAMES,
    split_name,
)
from deid.detect.words import read_words

# Syllables of given names too rare for `syllables`: each at least 18 times among the persons of mecab-ko-dic,
# transcribed foreign ones left out.
_FIRST = frozenset(FIRST) | frozenset("각개거고궁긍난내누능락려록루매면목본사생숭식심약열염온울월위육융전조증직징차추통포항행회휴흠녹립")
_SECOND = frozenset(SECOND) | frozenset(
    "각간갑개거건견계고공귀극내년노능당돈득락렬록롱률륭립면목박발방백번본붕사생설송술실악암여오울위육응작전제직집차청추충치"
    "칠타통판포항행회흡웅걸"
)
_DICTIONARY = read_words("dictionary_words.txt")
_PARTICLE = re.compile(rf"(?:{PARTICLES})?")
_LONGEST = 8
_FOREIGN = re.compile(r"[A-Za-z0-9가-힣]")


class Chance(IntEnum):
    """How much a word's own look says for a name."""

    NONE = 0
    # If what stands around says so.
    AMONG_PEOPLE = 1
    # Wherever it stands.
    ANYWHERE = 2


def rare_names(text: str) -> Iterator[Found]:
    """Words that can be nothing but a name."""
    for start, end, word in hangul_words(text):
        size, chance = rare_name(word)
        if chance is Chance.ANYWHERE and not _glued(text, start, end):
            yield Found(start, start + size, "NAME", 0.5)


def _glued(text: str, start: int, end: int) -> bool:
    """Whether a word goes on in other letters or digits."""
    return text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()


@lru_cache(maxsize=1 << 16)
def rare_name(word: str) -> tuple[int, Chance]:
    """How many syllables at the start of a word, behind which only a particle may follow, are a name; how surely."""
    if 2 <= len(word) <= _LONGEST and not is_common_word(word) and word not in _DICTIONARY:
        for size in (4, 3, 2):
            if len(word) >= size and _PARTICLE.fullmatch(word, size):
                chance = _chance(word[:size], word)
                if chance:
                    return size, chance
    return 0, Chance.NONE


def _chance(name: str, word: str) -> Chance:
    parts = split_name(name)
    if parts is None or name in _DICTIONARY or is_common_word(name) or is_listed(name):
        return Chance.NONE
    surname, given = parts
    if len(surname) + len(given) != (len(surname) + 2 if len(name) > 2 else 2) or not _named_so(surname, given):
        return Chance.NONE
    if len(given) == 1:
        return Chance.AMONG_PEOPLE if given in ONE and len(word) <= 4 else Chance.NONE
    if is_inflected(name) or is_compound(word) or is_derived(name):
        return Chance.NONE
    begun = len(surname) == 1 and name[:2] in _DICTIONARY
    return Chance.AMONG_PEOPLE if begun or surname not in COMMON_SURNAMES.union(COMPOUND_SURNAMES) else Chance.ANYWHERE


def _named_so(surname: str, given: str) -> bool:
    usual = surname in USUAL_SURNAMES or len(surname) == 2
    return usual and (len(given) == 1 or (given[0] in _FIRST and given[1] in _SECOND))
