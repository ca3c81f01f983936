"""Names before titles ("김철수님", "최교수"), and given names as relatives and children are called."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.cues import NOT_BEFORE_TITLE, RANKS, TITLES
from deid.detect.found import Found
from deid.detect.stopwords import is_common_word, is_inflected, is_listed
from deid.detect.syllables import (
    COMPOUND_SURNAMES,
    NATIVE,
    ONE,
    SURNAMES,
    USUAL_SURNAMES,
    given_score,
    looks_foreign,
    split_name,
)

_FOR_ANYONE = frozenset({"님", "씨", "할머니", "할아버지", "환자", "어르신"})
# Titles only persons have: before these a rare given name is believed ("환자" may follow an illness).
_FOR_PERSONS = frozenset(
    {
        *("님", "씨", "할머니", "할아버지", "어르신", "교수", "교수님", "과장", "과장님", "원장", "원장님", "간호사"),
        *("선생님", "수간호사", "여사님", "수녀", "약사"),
    }
)
_AFTER_FOREIGN = frozenset({"씨", "님", "산모"})
_AFTER = r"(?:님|분|들)?(?:께서는?|께는?|에게|한테|은|는|이|가|을|를|의|과|와|도|로|이고|이며|이라고|입니다|\d인)?"
_TITLE = re.compile(
    rf"(?P<n>[가-힣]{{1,8}}?(?:[ ]{{1,2}}[가-힣]{{1,5}}?){{0,2}}?)[ ]{{0,2}}(?P<t>{TITLES})(?:(?<=님)[가-힣]{{1,4}}|"
    rf"{_AFTER})(?![가-힣A-Za-z])"
)
_GLUED_TITLE = re.compile(r"(?:(?<![가-힣])(?P<s>[가-힣]{2})|(?P<n>[가-힣]{3}))(?:님|씨|T)(?![가-힣]{0,2}[A-Za-z])")
_SURNAME = "|".join((*COMPOUND_SURNAMES, *sorted(SURNAMES)))
_RANK = re.compile(rf"(?<![가-힣])(?P<n>{_SURNAME})[ ]?(?P<t>{RANKS}){_AFTER}(?![가-힣])")
_GIVEN_CALLED = re.compile(
    r"(?<![가-힣])(?P<n>[가-힣]{2,3})(?:이(?:는|가|도|를|한테|에게|랑|네|의)|씨|양|군)(?![가-힣]{2})"
)
_KIN = (
    "큰아들|작은아들|막내아들|큰딸|작은딸|막내딸|따님|아드님|손주|외손자|외손녀|조카|남동생|여동생|"
    "쌍둥이|학생|내담자|Ct|Client|client|아동|아들|딸|남편|아내|형|누나|언니|"
    "오빠|동생|손자|손녀|며느리|사위|자녀|모|부|환아|아기|장남|차남|장녀|차녀|막내"
)
_KIN_GIVEN = re.compile(
    rf"(?:{_KIN})[ ](?P<n>[가-힣]{{1,3}}?)(?:씨|이(?=[가는도랑를와]|(?![가-힣]))|양|군|(?=(?:에게|한테|가|는|은|"
    rf"은\(는\)|"
    rf"와)(?![가-힣]))|(?=[ ]?\())(?![가-힣]{{3}})"
)
_LINE_START = re.compile(r"(?:^|[\n.,(])[ ]{0,2}$")
_VERBAL = re.compile(r"[한는은을고서던신이게로의도]$")


def before_titles(text: str) -> Iterator[Found]:
    """Names before a title ("님", "교수", "환자"), also glued into running text; surnames before a rank."""
    for match in _TITLE.finditer(text):
        yield from _titled(match)
    for match in _GLUED_TITLE.finditer(text):
        group = "n" if match["n"] else "s"
        parts = split_name(match[group])
        if parts and given_score(parts[1]) >= (3 if group == "n" else 1) and not is_common_word(match[group]):
            yield Found(*match.span(group), "NAME", 0.7)
    for match in _RANK.finditer(text):
        if not is_listed(match["n"] + match["t"]):
            yield Found(*match.span("n"), "NAME", 0.7)


def given_names(text: str) -> Iterator[Found]:
    """Given names alone, as relatives and children are called ("은별이는", "아들 준씨")."""
    for match in _GIVEN_CALLED.finditer(text):
        if given_score(match["n"]) >= 3 and not is_common_word(match["n"]) and not is_listed(match["n"] + "이"):
            yield Found(*match.span("n"), "NAME", 0.55)
    for match in _KIN_GIVEN.finditer(text):
        name = match["n"]
        likely = (name in ONE and text[match.end("n")] in "씨이양군") or given_score(name) >= 2
        if likely and (name in NATIVE or not is_common_word(name)):
            yield Found(*match.span("n"), "NAME", 0.7)


def _titled(match: re.Match[str]) -> Iterator[Found]:
    """Yield the name that ends where a title begins: spaced, the longest plausible suffix, or foreign."""
    run, title, end = match["n"], match["t"], match.end("n")
    words = run.split()
    last = words[-1]
    if last in NOT_BEFORE_TITLE or is_common_word(last) or is_listed(last + title) or is_listed(last[-1] + title):
        return
    start = _start_of_spaced(words, run, end)
    if start is None:
        start = _start_of_suffix(last, end, surely_a_person=title in _FOR_PERSONS)
    if start is not None:
        yield Found(start, end, "NAME", 0.8)
    elif title in {"님", "씨"} and len(last) == 2 and given_score(last) >= 2:
        yield Found(end - 2, end, "NAME", 0.7)
    else:
        yield from _foreign_before_title(match, words)


def _foreign_before_title(match: re.Match[str], words: list[str]) -> Iterator[Found]:
    """Yield words before a title that are a transcribed name, or the only thing said of a person."""
    run, title, end = match["n"], match["t"], match.end("n")
    leads = _LINE_START.search(match.string, max(0, match.start("n") - 3), match.start("n"))
    if title in _AFTER_FOREIGN and len(words) == 2 and leads:
        if not any(is_common_word(word) or is_inflected(word) or _VERBAL.search(word) for word in words):
            yield Found(match.start("n"), end, "NAME", 0.5)
    elif title in _FOR_ANYONE and (looks_foreign(run) or (title == "님" and len(words[-1]) >= 2)):
        foreign = [word for word in words if not is_common_word(word)]
        whole = looks_foreign(run) and len(foreign) == len(words)
        yield Found(match.start("n") if whole else end - len(words[-1]), end, "NAME", 0.5)


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
    for size in (4, 3, 2):
        candidate = last[-size:]
        parts = split_name(candidate) if len(candidate) == size else None
        if parts is None or is_common_word(candidate):
            continue
        whole = len(last) == size
        unusual = whole and size in {3, 4} and surely_a_person and parts[0] in USUAL_SURNAMES
        needed = 0 if unusual else 1 if whole else 3
        if given_score(parts[1]) >= needed and (size > 2 or whole):
            return end - size
    return None
