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

from deid.detect.cues import PARTICLES, ROLES, TITLES
from deid.detect.dictionary import PROLONGED, is_word_of_dictionary
from deid.detect.found import Found
from deid.detect.hangul import Word, hangul_words
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_inflected, is_listed
from deid.detect.syllables import (
    COMMON_SURNAMES,
    FIRST,
    ONE,
    SECOND,
    USUAL_SURNAMES,
    given_score,
    split_name,
)

# Syllables of given names too rare for `syllables`: each at least 18 times among the persons of mecab-ko-dic,
# transcribed foreign ones left out.
_FIRST = frozenset(FIRST) | frozenset(
    "각개거고궁긍난내누능락려록루매면목본사생숭식심약열염온울월위육융전조증직징차추통포항행회휴흠녹립"
)
_SECOND = frozenset(SECOND) | frozenset(
    "각간갑개거건견계고공귀극내년노능당돈득락렬록롱률륜륭립면목박발방백번본붕사생설송술실악암여오울위육응작전제직집차청추충치"
    "칠타통판포항행회흡웅걸"
)
# Given names of one syllable; words of two that end in them are in the dictionary, but seldom written ("이준", "박훈").
_GIVEN_OFTEN = frozenset("준빈솔린율혁훈겸찬욱윤")
_GIVEN = frozenset("민진철석희숙란현환규섭균")
_NEVER_WORDS = frozenset("김박곽류권")
_WRITTEN = frozenset(
    [
        *(
            "조율",
            "전율",
            "배율",
            "고율",
            "차율",
            "우린",
            "차린",
            "구린",
            "고린",
            "유린",
            "조찬",
            "오찬",
            "성찬",
            "나솔",
        ),
        *("주빈", "유훈", "전훈", "고훈", "전욱", "한욱", "권현", "권숙", "권진", "권석", "권섭"),
    ]
)
_PARTICLE = re.compile(rf"(?:{PARTICLES})?")
# Particles of persons and animals only.
_TO_PERSONS = frozenset(["한테", "에게", "께", "께서", "한테서", "에게서", "이랑", "씨", "님"])
_LONGEST = 8
_ROLE = re.compile(
    rf"[가-힣]{{0,6}}(?:{'|'.join(role for role in ROLES.split('|') if len(role) > 1)})(?:님|분)?[은는이가]?"
)
_TITLE = re.compile(rf"[ ](?:{TITLES}|모친|부친|둘|셋|순(?:[ .]|$))")
_GAP = re.compile(r"[ ]{0,2}[:=(/]?[ ]{0,2}")
_BRACKET = re.compile(r"[ ]?\([ ]?(?:[MF남여/\d]|만 ?\d|[가-힣]{1,5}[ ]?[),/])")
_LIST_LEFT = re.compile(r"(?<![가-힣])(?P<n>[가-힣]{2,4})[ ]?(?:님|교수|선생님)?[ ]?[,·/→][ ]?$")
_LIST_RIGHT = re.compile(
    r"[ ]?[,·/→][ ]?[가-힣]{2,4}(?![가-힣])|[ ]{0,2}(?:$|[\n.,;)]|[ ](?:순|둘|셋|외|등)(?![가-힣]))"
)
_SENTENCE_LEFT = re.compile(r"[다함됨음][.)]?[ ]{1,3}$|[.][ ]{1,3}$")
_LINE_RIGHT = re.compile(r"[ ]{0,2}(?:$|\n)")
_END_RIGHT = re.compile(r"[ ]?(?:$|[\n|/(),;→·]|-[ ])|[ ]\d")
_KIN = frozenset(ROLES.split("|"))


class Chance(IntEnum):
    """How much a word's own look says for a name."""

    NONE = 0
    # If what stands around says so.
    AMONG_PEOPLE = 1
    # Wherever it stands.
    ANYWHERE = 2


def rare_names(text: str) -> Iterator[Found]:
    """Words that can be nothing but a name, and those that can be one where people stand."""
    previous = (0, 0, "")
    for start, end, word in hangul_words(text):
        size, chance = rare_name(word)
        if chance and not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            whole = size == len(word)
            if (
                chance is Chance.ANYWHERE
                or _behind_role(text, previous, start)
                or (whole and (_says_itself(text, end, word) or _among_people(text, start, end)))
                or (word[0] in COMMON_SURNAMES and word[size:] in _TO_PERSONS)
            ):
                yield Found(start, start + size, "NAME", 0.5)
        previous = start, end, word


def _says_itself(text: str, end: int, word: str) -> bool:
    """Whether two syllables are a name wherever they stand alone: with a rarer surname only before an end."""
    return len(word) == 2 and (word[0] in COMMON_SURNAMES or _END_RIGHT.match(text, end) is not None)


def _behind_role(text: str, previous: Word, start: int) -> bool:
    _, until, word = previous
    return bool(until and _GAP.fullmatch(text, until, start) and until < start and is_role(word))


@lru_cache(maxsize=1 << 14)
def is_role(word: str) -> bool:
    """Whether a word is what a person is in a record, perhaps with what it is in ("입원담당의는")."""
    return word in _KIN or (len(word) > 2 and _ROLE.fullmatch(word) is not None)


def _among_people(text: str, start: int, end: int) -> bool:
    """Whether a title, a bracket, a list or the end of a report says that a person is named."""
    before = max(0, start - 12)
    if _TITLE.match(text, end) or _BRACKET.match(text, end):
        return True
    left = _LIST_LEFT.search(text, before, start)
    if left and _is_name(left["n"]) and _LIST_RIGHT.match(text, end):
        return True
    return bool(_SENTENCE_LEFT.search(text, before, start) and _LINE_RIGHT.match(text, end))


def _is_name(word: str) -> bool:
    parts = split_name(word)
    return parts is not None and (given_score(parts[1]) > 2 or rare_name(word) == (len(word), Chance.ANYWHERE))


@lru_cache(maxsize=1 << 16)
def rare_name(word: str) -> tuple[int, Chance]:
    """How many syllables at the start of a word, behind which only a particle may follow, are a name; how surely."""
    if 2 <= len(word) <= _LONGEST and not is_listed(word) and not _is_word(word):
        for size in (4, 3, 2):
            if len(word) >= size and _PARTICLE.fullmatch(word, size):
                chance = _chance(word[:size], word)
                if chance:
                    return size, chance
    return 0, Chance.NONE


def _is_word(word: str) -> bool:
    """Whether a word is one of the dictionary's that somebody writes: of two syllables, names are so more often."""
    if not is_word_of_dictionary(word) or len(word) != 2 or word in _WRITTEN:
        return is_word_of_dictionary(word)
    surname, given = word[0], word[1]
    usual = given in _GIVEN_OFTEN or (surname in _NEVER_WORDS and given in _GIVEN)
    return not (usual and surname in COMMON_SURNAMES)


def _chance(name: str, word: str) -> Chance:
    parts = split_name(name)
    if parts is None or _is_word(name) or is_common_word(name):
        return Chance.NONE
    surname, given = parts
    if len(given) == 1:
        short = len(word) <= 6 and (given in ONE or len(surname) == 2)
        return Chance.AMONG_PEOPLE if short else Chance.NONE
    if len(given) != 2 or given[0] not in _FIRST or given[1] not in _SECOND:
        return Chance.NONE
    if is_inflected(name) or is_compound(word) or is_derived(name):
        return Chance.NONE
    begun = len(surname) == 1 and is_word_of_dictionary(name[:2])
    if not begun:
        return Chance.ANYWHERE if surname in USUAL_SURNAMES or len(surname) == 2 else Chance.AMONG_PEOPLE
    unlike = surname in COMMON_SURNAMES and given[0] in FIRST and given[1] in SECOND and given[1] not in PROLONGED
    return Chance.ANYWHERE if unlike else Chance.AMONG_PEOPLE
