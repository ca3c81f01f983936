"""Foreign names in Hangul where people stand: before titles or particles of persons, behind offices, as speakers."""

# ruff: noqa: PLR2004 - numbers here are counts of words and lines: they are the rules themselves

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from deid.detect.cues import TITLES
from deid.detect.found import Found
from deid.detect.hangul import Words, hangul_words, is_word
from deid.detect.rare_name import is_role
from deid.detect.syllables import split_name
from deid.detect.transcribed import foreign_tail, foreign_weight, is_said, looks_foreign

# What is said to or of persons only, glued to the last word of a name; "환자" may follow an illness or a device.
_TO_PERSONS = re.compile(r"(?:님|씨|쌤)?(?:한테서?|에게서?|께서?|이?랑|입니다|이?라고|이?라는)$|(?:님|씨|쌤)$")
_TITLE = re.compile(rf"(?:{TITLES})(?:님|분)?(?:께서는?|에게|한테|[은는이가을를의과와도로]|이[가-힣]{{1,4}})?$")
_FOR_ANYTHING = re.compile(r"^(?:환자|대상자|보호자|본인|확인|앞|통역)")
_OFFICE = re.compile(r"(?:과|팀|실|센터|병원|의원|약국|병동|클리닉|파트|유닛|전문가|담당|R[1-4]|PI)$")
_LATIN_OFFICE = re.compile(r"(?<![A-Za-z])(?:[A-Z]{2,4}|R[1-4]|PI)[.:]?[ ]$")
_ENDS = re.compile(r"[ ]{0,3}(?:$|[\n(/,|)]|[ ]{2})")
_PARTICLE = re.compile(r"[가-힣](?:은|는|이|가|을|를|와|과|의|도|인데|이었습니다|였습니다|이라|이고|이며)$")
# The last word of a name may sound Korean ("쩐 반 민"), not like the end of a sentence.
_LEAST_LAST = -4
_SURELY = 6
# A particle at the end weighs up to three less.
_NEARLY = 3
# Surnames of one syllable that are no Korean words.
_SHORT = frozenset("팜쩐레첸리왕쉬웡쟝찬응")
# Before an end somebody stands more often than a thing.
_ENDED = re.compile(r"[ ]?(?:$|[\n|/),(→·])")
# Vietnamese names: one of the surnames that are no Korean syllables, 티 (women) or 반 (men), a given name.
_VIETNAMESE = re.compile(
    r"(?<![가-힣])(?:응우옌|응웬|쩐|레|팜|호앙|후인|부이|응오|즈엉|쯔엉|르엉)[ ](?:티|반|꽝|득|탄|꾸옥)[ ][가-힣]{1,4}?"
    r"(?=(?:한테|에게|께서|님|씨|[은는을를의])?(?![가-힣]))"
)
_GOES_ON = re.compile(r"[ ][가-힣]")
_NUMBER_BEHIND = re.compile(r"[ ]?\d")
_SPEAKER = re.compile(r"(?m)^[ >]{0,3}(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){0,2})[ ]?:[ ]")


@lru_cache(maxsize=1 << 16)
def _endings(word: str) -> tuple[bool, int, int]:
    """Whether a word is a title; where what is said to persons begins in it, and a particle; 0 for nowhere."""
    if _TITLE.fullmatch(word):
        return True, 0, 0
    said, particle = _TO_PERSONS.search(word), _PARTICLE.search(word)
    return False, said.start() if said else 0, particle.start() + 1 if particle else 0


def foreign_names(text: str) -> Iterator[Found]:
    """Foreign names before what is said of persons, behind an office at the end of a line, and of speakers."""
    words = hangul_words(text)
    taken = 0
    for index in range(1, len(words)):
        if text[words[index - 1][1] : words[index][0]] == " ":
            count, until = _ending_at(text, index, taken)
            if count:
                first = index - count + (0 if until <= words[index - 1][1] else 1)
                taken = index + 1
                yield Found(words[first][0], until, "NAME", 0.85)
    yield from _speakers(text)
    yield from _surely_foreign(text, words)
    yield from (Found(*match.span(), "NAME", 0.6) for match in _VIETNAMESE.finditer(text))


def _surely_foreign(text: str, words: Words) -> Iterator[Found]:
    """Words in a row that sound so foreign that no medicine and no device does, wherever they stand."""
    weights = [foreign_weight(word) for _, _, word in words]
    taken = 0
    for index in range(1, len(words)):
        both = weights[index - 1] + weights[index]
        # Hardly any words in a row come near it.
        if both + (weights[index - 2] if index > 1 else 0) < _NEARLY and both < _NEARLY:
            continue
        for first in (index - 2, index - 1):
            if first >= taken and _in_a_row(text, words[first : index + 1]):
                until = _end_of_surely_foreign(text, words[first : index + 1])
                if until:
                    taken = index + 1
                    yield Found(words[first][0], until, "NAME", 0.5)
                    break


def _end_of_surely_foreign(text: str, words: Words) -> int:
    """Return where a surely foreign name ends, before a particle if a sentence goes on; 0 if the words are none."""
    start, end, last = words[-1]
    names = [word for _, _, word in words[:-1]]
    particle = _PARTICLE.search(last) if _GOES_ON.match(text, end) else None
    if particle and _is_surely_foreign([*names, last[: particle.start() + 1]]):
        return start + particle.start() + 1
    ended = _ENDED.match(text, end) is not None
    return end if _is_surely_foreign([*names, last], _NEARLY if ended else _SURELY) else 0


def _in_a_row(text: str, words: Words) -> bool:
    """Whether single spaces part the words and no dose stands behind them."""
    spaced = all(text[one[1] : other[0]] == " " for one, other in pairwise(words))
    glued = text[words[0][0] - 1 : words[0][0]].isalnum()
    return spaced and not glued and _NUMBER_BEHIND.match(text, words[-1][1]) is None


def _is_surely_foreign(names: list[str], least: int = _SURELY) -> bool:
    whole = " ".join(names)
    return (
        len(whole) >= 5
        and foreign_weight(whole) >= least
        and foreign_weight(names[0]) >= 0
        and (len(names[0]) > 1 or names[0] in _SHORT)
        and not names[-1].endswith("로")
        and not names[-1].endswith("니다")
        and not any(map(is_said, names))
    )


def _ending_at(text: str, index: int, taken: int) -> tuple[int, int]:
    """How many words are a foreign name that ends in the word at `index` or before it, and where; 0 for none."""
    words = hangul_words(text)
    start, end, word = words[index]
    title, said, particle = _endings(word)
    if title:
        names = _run(text, index, taken)
        least = 2 if not names or _FOR_ANYTHING.match(word) or len(names[-1]) < 4 else 1
        return foreign_tail(names, least), words[index - 1][1]
    if said:
        return foreign_tail([*_run(text, index, taken), word[:said]], 2), start + said
    if particle and index > 1 and foreign_weight(word[:particle]) >= _LEAST_LAST:
        names = [*_run(text, index, taken), word[:particle]]
        count = foreign_tail(names, 2)
        return count if count < len(names) and is_role(names[-count - 1]) else 0, start + particle
    if foreign_weight(word) >= _LEAST_LAST and _ENDS.match(text, end):
        run = _run(text, index, taken)
        place = words[index - len(run)][0]
        return _behind_office(text[max(0, place - 12) : place], [*run, word]), end
    return 0, end


def _behind_office(before: str, names: list[str]) -> int:
    """How many of the words at the end of a line or item are a foreign name: all behind the office, if it is one."""
    count = foreign_tail(names, 2)
    behind = names[-count - 1] if count < len(names) else ""
    placed = _OFFICE.search(behind) if behind else _LATIN_OFFICE.search(before)
    return count if count and placed and not any(map(_OFFICE.search, names[-count:])) else 0


def _run(text: str, index: int, taken: int) -> list[str]:
    """Return the words right before one, a single space between each: at most three."""
    words = hangul_words(text)
    run: list[str] = []
    while len(run) < 3 and index - 1 >= taken and text[words[index - 1][1] : words[index][0]] == " ":
        index -= 1
        run.insert(0, words[index][2])
    return run


def _speakers(text: str) -> Iterator[Found]:
    spoken = [match for match in _SPEAKER.finditer(text) if looks_foreign(match["n"])]
    lines = Counter(match["n"] for match in spoken)
    for match in spoken:
        names = match["n"].split(" ")
        if foreign_tail(names, 1 if lines[match["n"]] > 1 else 2) == len(names):
            yield Found(*match.span("n"), "NAME", 0.5)


def repeated_foreign(text: str, names: Iterable[str]) -> Iterator[Found]:
    """Other places of names that are no Korean ones and of two words, or four syllables and more."""
    for name in names:
        parts = name.split(" ")
        if not all(map(is_word, parts)) or len(name) < 4 or (len(parts) == 1 and split_name(name)):
            continue
        if not looks_foreign(name):
            continue
        place = text.find(name)
        while place >= 0:
            if not is_word(text[place - 1 : place]):
                yield Found(place, place + len(name), "NAME", 0.6)
            place = text.find(name, place + len(name))
