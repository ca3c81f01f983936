"""Names before titles ("김철수님", "최교수"), and given names as relatives and children are called."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from deid.detect.cues import NOT_BEFORE_TITLE, RANKS, TITLES
from deid.detect.dictionary import is_word_of_dictionary
from deid.detect.found import Found
from deid.detect.hangul import Words, hangul_words, is_hangul, is_word
from deid.detect.stopwords import is_common_word, is_inflected, is_listed
from deid.detect.syllables import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    NATIVE,
    ONE,
    SURNAMES,
    USUAL_SURNAMES,
    given_score,
    split_name,
)
from deid.detect.transcribed import looks_foreign

_FOR_ANYONE = frozenset({"님", "씨", "할머니", "할아버지", "환자", "어르신"})
# Titles only persons have: before these a rare given name is believed ("환자" may follow an illness).
_FOR_PERSONS = frozenset(
    {
        *("님", "씨", "할머니", "할아버지", "어르신", "교수", "교수님", "과장", "과장님", "원장", "원장님", "간호사"),
        *("선생님", "수간호사", "여사님", "수녀", "약사", "환자분", "쌤", "전문의", "전공의", "인턴", "레지던트"),
        *(
            "학생",
            "주무관",
            "사회복지사",
            "임상심리사",
            "물리치료사",
            "작업치료사",
            "요양보호사",
            "임상병리사",
            "방사선사",
        ),
    }
)
# Before these a syllable alone is a prenoun ("주 간병인": the main one), not a surname.
_CARED = frozenset({"간병인", "간병사", "환자", "환자분"})
_PRENOUNS = frozenset("주부전현구남여양은")
# Other syllables before 의사 say what kind of a doctor it is ("한의사", "여의사").
_OF_DOCTORS = COMMON_SURNAMES - frozenset("한주여양전고신유수남구정하")
_AFTER_FOREIGN = frozenset({"씨", "님", "산모"})
_AFTER = r"(?:님|분|들)?(?:께서는?|께는?|에게|한테|은|는|이|가|을|를|의|과|와|도|로|이고|이며|이라고|입니다|\d인)?"
# A word that ends in a title and its particle; the name is what stands before, in the word or in those before it.
_WORD_TITLE = re.compile(rf"(?P<n>[가-힣]{{0,20}}?)(?P<t>{TITLES})(?:(?<=님)[가-힣]{{1,4}}|{_AFTER})")
_OTHER_TITLE = re.compile(rf"(?P<t>T|Dr|[ ]?외[ _]?\d인){_AFTER}(?![가-힣A-Za-z])")
_LAST_WORD = re.compile(r"[가-힣]{1,8}[ ]{0,2}$")
_SURNAME = "|".join((*COMPOUND_SURNAMES, *sorted(SURNAMES)))
_WORD_RANK = re.compile(rf"(?P<n>{_SURNAME})?(?P<t>{RANKS}){_AFTER}")
_GLUED_TITLE = re.compile(r"(?:님|씨|T)(?![가-힣]{0,2}[A-Za-z])")
# 손님, 주님, 고님 are no surnames with a title.
_CALLED_SURNAMES = "|".join((*COMPOUND_SURNAMES, *sorted(COMMON_SURNAMES - {"손", "주", "고"})))
_SURNAME_CALLED = re.compile(rf"(?<![가-힣])(?P<n>{_CALLED_SURNAMES})님(?=[ ](?!과|및)[가-힣]|[은이가께도]|,)")
# What is glued to a child's or friend's name after a vowel.
_GIVEN_WITH = re.compile(r"(?<![가-힣])(?P<n>[가-힣]{2})(?:이?랑|한테|에게)(?![가-힣])")
_GIVEN_CALLED = re.compile(
    r"(?<![가-힣])(?P<n>[가-힣]{2,3})(?:이(?:는|가|도|를|한테|에게|랑|네|의)|씨|양|군)(?![가-힣]{2})"
)
_KIN = (
    "큰애|작은애|첫째|둘째|셋째|큰아들|작은아들|막내아들|큰딸|작은딸|막내딸|따님|아드님|손주|외손자|외손녀|조카|남동생|여동생|"
    "쌍둥이|학생|내담자|Ct|Client|client|아동|아들|딸|남편|아내|형|누나|언니|"
    "오빠|동생|손자|손녀|며느리|사위|자녀|모|부|환아|아기|장남|차남|장녀|차녀|막내"
)
_KIN_GIVEN = re.compile(
    rf"(?:{_KIN})[ ](?P<n>[가-힣]{{1,3}}?)(?:씨|이(?=[가는도랑를와]|(?![가-힣]))|양|군|(?=(?:에게|한테|가|는|은|"
    rf"은\(는\)|"
    rf"와)(?![가-힣]))|(?=[ ]?\())(?![가-힣]{{3}})"
)
_SURNAMES = frozenset((*COMPOUND_SURNAMES, *SURNAMES))
# "곽원장님" is a surname before a rank, and found as one.
_RANKED = frozenset(RANKS.split("|"))
_LATIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_LINE_START = re.compile(r"(?:^|[\n.,(:;>|-])[ ]{0,2}$")
_VERBAL = re.compile(r"[한는은을고서던신이게로의도]$")


def before_titles(text: str) -> Iterator[Found]:
    """Names before a title ("님", "교수", "환자"), also glued into running text; surnames before a rank."""
    words = hangul_words(text)
    yield from _before_words(text, words)
    for match in _OTHER_TITLE.finditer(text):
        last = _LAST_WORD.search(text, max(0, match.start() - 10), match.start())
        if last:
            yield from _titled(text, [last.group().strip()], last.start(), match["t"].strip())
    for match in _GLUED_TITLE.finditer(text):
        start = match.start()
        size = 4 if text[max(0, start - 4) : start - 2] in COMPOUND_SURNAMES else 3
        size = size if start >= size and is_hangul(text[start - 3]) else 2
        name = text[max(0, start - size) : start]
        parts = split_name(name) if is_word(name) else None
        needed = 3 if size == 3 and is_hangul(text[max(0, start - 4) : start - 3]) else 1
        named = parts and given_score(parts[1]) >= needed and parts[1] not in _RANKED
        if named and not is_common_word(name):
            yield Found(start - size, start, "NAME", 0.7)
    yield from _before_ranks(text, words)


def _before_words(text: str, words: Words) -> Iterator[Found]:
    """Yield the names before each word that ends in a title; words used for one are not used for the next."""
    taken = 0
    for index, (start, end, word) in enumerate(words):
        found = _title_in(word)
        if found is None or text[end : end + 1] in _LATIN:
            continue
        cut, title = found
        called = [word[:cut]] if cut else []
        first = start
        for before, until, other in reversed(words[max(taken, index - 3) : index]):
            whole = not called or len(called[0]) <= 5
            gap = first - until
            if len(called) == 3 or not whole or gap > 2 or text[until:first].strip(" ") or len(other) > 8:
                break
            called.insert(0, other)
            first = before
        if called:
            taken = index + 1
            yield from _titled(text, called, first, title)


def _before_ranks(text: str, words: Words) -> Iterator[Found]:
    previous = (0, 0, "")
    for start, end, word in words:
        rank = _rank_in(word)
        if rank is not None:
            surname, title = rank
            alone = not surname and previous[2] in _SURNAMES and text[previous[1] : start] in {"", " "}
            alone = alone and not (title in _CARED and previous[2] in _PRENOUNS)
            if title.startswith("의사") and (surname or previous[2]) not in _OF_DOCTORS:
                alone, surname = False, ""
            if (surname or alone) and not is_listed((surname or previous[2]) + title):
                begin = start if surname else previous[0]
                yield Found(begin, begin + len(surname or previous[2]), "NAME", 0.7)
        previous = (start, end, word)


@lru_cache(maxsize=1 << 16)
def _title_in(word: str) -> tuple[int, str] | None:
    """Where the title begins in a word that ends with one, and the title."""
    match = _WORD_TITLE.fullmatch(word)
    return (match.start("t"), match["t"]) if match else None


@lru_cache(maxsize=1 << 16)
def _rank_in(word: str) -> tuple[str, str] | None:
    """Surname (or "") and rank of a word that is made of them and a particle."""
    match = _WORD_RANK.fullmatch(word)
    return (match["n"] or "", match["t"]) if match else None


def surnames_called(text: str) -> Iterator[Found]:
    """Surnames before 님 and a relative or a thing of theirs ("박님 아드님", "이님 약")."""
    for match in _SURNAME_CALLED.finditer(text):
        yield Found(*match.span("n"), "NAME", 0.6)


def given_names(text: str) -> Iterator[Found]:
    """Given names alone, as relatives and children are called ("은별이는", "아들 준씨")."""
    for match in _GIVEN_CALLED.finditer(text):
        if given_score(match["n"]) >= 3 and not is_common_word(match["n"]) and not is_listed(match["n"] + "이"):
            yield Found(*match.span("n"), "NAME", 0.55)
    for match in _GIVEN_WITH.finditer(text):
        quality = given_score(match["n"])
        usual = quality == 4 or (quality == 3 and not is_word_of_dictionary(match["n"]))
        if usual and not is_common_word(match["n"]):
            yield Found(*match.span("n"), "NAME", 0.55)
    for match in _KIN_GIVEN.finditer(text):
        name = match["n"]
        likely = (name in ONE and text[match.end("n")] in "씨이양군") or given_score(name) >= 2
        if likely and (name in NATIVE or not is_common_word(name)):
            yield Found(*match.span("n"), "NAME", 0.7)


def _titled(text: str, words: list[str], begin: int, title: str) -> Iterator[Found]:
    """Yield the name that ends where a title begins: spaced, the longest plausible suffix, or foreign."""
    last = words[-1]
    end = text.index(last, begin + sum(map(len, words[:-1]))) + len(last)
    if title == "씨" and len(last) == 2 and given_score(last) >= 3 and last not in _RANKED:
        # Before 씨 a name is a name, whatever it means ("정수 씨").
        yield Found(end - 2, end, "NAME", 0.6)
        return
    if _is_rather_said(last, title):
        return
    start = _start_of_spaced(words, text[begin:end], end)
    if start is None:
        start = _start_of_suffix(last, end, surely_a_person=title in _FOR_PERSONS)
        if start is not None and title in {"님", "씨"}:
            start = _start_of_longer(text, words, (begin, end), start)
    if start is not None:
        yield Found(start, end, "NAME", 0.8)
    elif title in {"님", "씨"} and len(last) == 2 and given_score(last) >= 2:
        yield Found(end - 2, end, "NAME", 0.7)
    else:
        start = _start_of_foreign(text, words, (begin, end), title)
        if start is not None:
            yield Found(start, end, "NAME", 0.5)


def _is_rather_said(last: str, title: str) -> bool:
    """Whether what stands before a title is a word, or a surname with a rank that is found as one."""
    if title == "님" and last[1:] in _RANKED:
        return True
    listed = is_listed(last + title) or is_listed(last[-1] + title)
    return listed or last in NOT_BEFORE_TITLE or is_common_word(last)


def _start_of_longer(text: str, words: list[str], span: tuple[int, int], start: int) -> int:
    """Start of a foreign name whose end has the look of a Korean one ("부이반남", "조티 라이")."""
    begin, end = span
    if end - len(words[-1]) == start - 1:
        return start - 1
    two = len(words) == 2 and len(words[-1]) == 2 and len(words[0]) > 1 and start == end - 2
    if two and _LINE_START.search(text, max(0, begin - 3), begin):
        said = is_common_word(words[0]) or is_inflected(words[0]) or _VERBAL.search(words[0])
        return start if said else begin
    return start


def _start_of_foreign(text: str, words: list[str], span: tuple[int, int], title: str) -> int | None:
    """Start of words before a title that are a transcribed name, or the only thing said of a person."""
    begin, end = span
    leads = _LINE_START.search(text, max(0, begin - 3), begin)
    if title in _AFTER_FOREIGN and len(words) == 2 and leads:
        said = any(is_common_word(word) or is_inflected(word) for word in words) or _VERBAL.search(words[0])
        return None if said else begin
    foreign = looks_foreign(text[begin:end])
    if title not in _FOR_ANYONE or not (foreign or (title == "님" and len(words[-1]) >= 2)):
        return None
    return begin if foreign and not any(map(is_common_word, words)) else end - len(words[-1])


def _start_of_spaced(words: list[str], run: str, end: int) -> int | None:
    """Start of "김 연우", "남궁 율", "이 수 진" written with spaces before the title."""
    for count in (3, 2):
        if len(words) < count:
            continue
        surname, given = words[-count], "".join(words[-count + 1 :])
        known = surname in SURNAMES or surname in COMPOUND_SURNAMES
        if known and len(given) <= 2 and given_score(given) >= (1 if len(given) == 1 else 2):
            return end - (len(run) - run.rindex(surname, 0, len(run) - len(given)))
    return None


def _start_of_suffix(last: str, end: int, *, surely_a_person: bool) -> int | None:
    for size in (5, 4, 3, 2):
        candidate = last[-size:]
        parts = split_name(candidate) if len(candidate) == size else None
        if parts is None or is_common_word(candidate):
            continue
        whole = len(last) == size
        if not whole and parts[0] not in USUAL_SURNAMES:
            continue
        unusual = whole and size in {3, 4, 5} and surely_a_person and (parts[0] in USUAL_SURNAMES or len(parts[0]) == 2)
        short = whole and size == 2 and surely_a_person and parts[0] in COMMON_SURNAMES
        unusual = unusual or (short and not is_word_of_dictionary(candidate))
        needed = 0 if unusual else 1 if whole else 3
        if given_score(parts[1]) >= needed and (size > 2 or whole):
            return end - size
    return None
