"""Names without a cue word: by their syllables, by what stands around them, and by being repeated."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.cues import PARTICLES
from deid.detect.dictionary import is_prolonged, is_word_of_dictionary
from deid.detect.found import Found
from deid.detect.hangul import Word, hangul_words, is_word
from deid.detect.rare_name import rare_name
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_inflected, is_listed, is_surely_inflected
from deid.detect.syllables import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    SURNAMES,
    USUAL_SURNAMES,
    given_score,
    split_name,
)
from deid.detect.transcribed import looks_foreign

_KIN = (
    "모|부|자|녀|처|남편|아내|아들|딸|배우자|며느리|사위|손자|손녀|형|누나|언니|오빠|동생|어머니|아버지|보호자|초진|"
    "재진|신환|통역|이모|고모|조모|조부|본인|자녀|장남|장녀|차남|차녀"
)
# Sex and age, a telephone or record number, or a relation right behind: "(M/44)", " 55/F", "(010", "(배우자)".
_SURNAME = "|".join((*COMPOUND_SURNAMES, *sorted(COMMON_SURNAMES)))
_BESIDE = re.compile(
    rf"[ ]{{0,2}}(?:[(/,]?[ ]{{0,2}}(?:[MF여남][자아환]?[ ]{{0,2}}[/,)(]|만?[ ]?\d{{1,3}}[ ]?(?:세|살|/[ ]?[MF남여])|"
    rf"\([ ]?만[ ]?\d{{1,3}}[ ]?\)|"
    rf"[MF][ /]\d)|"
    rf"[ ]{{0,8}}01\d[ .)-]{{0,2}}\d|[ ]\d{{6}}[ ]?-?[ ]?\d|[ ]?(?:연락처|☎|휴대폰|핸드폰)|"
    rf"[ ]\d{{4}}[ -]\d{{4}}[ -]\d{{4}}|[ ]?[(/][ ]?(?:01\d|0\d{{1,2}}[-) .]|\+82|\d{{6,10}}[)/ -]|[A-Z]-\d|H\.?P|"
    rf"19\d\d|20\d\d)|[ ]?\((?:PT|OT|ST|RN|MD|NP|PA|CRC|R[1-4])\)|[ ](?:RN|MD|M\.D|NP|CRC)(?![A-Za-z])|"
    rf"[ ][Pp]t[ .]|[ ]#\d|[(/][ ]{{0,2}}(?:{_KIN})[ ),/])"
)
# The day of something ("평가일 2021. 4. 12.") is nobody's name.
_DATE_BEHIND = re.compile(r"[ ](?:19|20)?\d\d[-./년]")
_MEASURED = re.compile(r"[ :=]{0,3}[<>≥≤]?[ ]?\d[\d.,]{0,8}[ ]?(?:%|mg|mm|cm|mL|ml|g|회|개|점|일|시간|배)")
_TOKEN = re.compile(r"(?<![가-힣A-Za-z0-9])[가-힣]{2,7}(?![가-힣])")
_FOREIGN = re.compile(r"(?<![가-힣A-Za-z0-9])[가-힣]{1,6}(?:[ ][가-힣]{1,6}){0,2}(?![가-힣])")
_TWO_WORDS = re.compile(r"(?:^|[\n:])[ ]{0,2}(?P<v>[가-힣]{2,5}[ ][가-힣]{2,6})(?=[ ]{0,2}[(/,]?[ ]?[MF남여][ /,)(])")
_SIGNATURE = re.compile(r"(?:[.)]|[다함됨음])[ ]{1,3}(?P<n>[가-힣]{3})[ ]{0,2}(?=$|\n)")
# Who wrote a note, behind a dash at its end ("- 손민").
_SIGNED = re.compile(r"\n[ ]{0,2}[-–—][ ]?(?P<n>[가-힣]{2,3})[ \n]{0,3}$")
# Surnames that are no words by themselves.
_NO_WORDS = "김박최정강조윤장임서권황송류홍문손백허심노곽민"
_ONE_SYLLABLE = "".join(sorted(COMMON_SURNAMES))
_SPACED = re.compile(
    rf"(?:^|[\n,;|"
    rf"/:(·])[ ]{{0,2}}(?P<v>(?P<s>{_SURNAME})[ ]{{1,2}}(?P<g>[가-힣]{{2}}))(?=[ ]{{0,2}}(?:$|[\n,;|"
    rf"/()·.]|님|\d))"
)
# Before an end, in whatever cell: a surname alone is no word, whatever the given name means.
_SPACED_ENDED = re.compile(
    rf"(?P<v>(?P<s>[{_ONE_SYLLABLE}])(?<![가-힣A-Za-z0-9].)[ ](?P<g>[가-힣]{{2}}))(?=[ ]?(?:$|[\n|/(,→·\"<)]))"
)
# In a sentence: a surname that is no word by itself, then a given name and perhaps a particle.
_SPACED_ANYWHERE = re.compile(
    rf"(?P<v>[{_ONE_SYLLABLE}](?:(?<=[{_NO_WORDS}])(?<![가-힣A-Za-z0-9].)|(?<=\n.)|(?<![\s\S].))[ ](?P<g>[가-힣]{{2}}))"
    rf"(?:{PARTICLES})?(?![가-힣A-Za-z0-9])"
)
_PARTICLE = re.compile(rf"(?:{PARTICLES})?$")
_PARTICLE_ALONE = re.compile(rf"(?:{PARTICLES})?(?![가-힣])")
_EDGE_LEFT = re.compile(r"(?:^|[ ]{2}|[\n,/|;:\"'(<\[=>&+•·→-]|\d[.)])[ ]{0,3}$")
_EDGE_RIGHT = re.compile(r"[ ]{0,3}(?:$|[\n,/|;\"')>\]=<&+•·(→.-])")
# Words of what people do in a record, behind a name and perhaps a particle.
_DOING = re.compile(
    r"[ ](?:요청|확인|통화|대체|교대|처방|집도|판독|수신|동석|투약|채혈|내원|방문|동반|동행|동의|서명|보고|문의|호소|"
    r"거부|희망|설명|회신|연락|"
    r"상담|전화|면회|진술|도착|인계|수령|대리|"
    r"작성|거주|입원|퇴원|전원|사망|출생|귀가|참석|서면|구두|발견|신고|이송|접수|예약|본인|보호자)"
)
_NUMBER_BEFORE = re.compile(r"(?<![\d.,])\d{6,10}[ ]{1,2}$")
# The hour in a list of events, or a person's number in a list.
_BED_BEFORE = re.compile(r"(?:^|[\n/,|] ?)[A-Z]-?\d{1,2}[ ]$")
_TIME_BEFORE = re.compile(r"(?:\d\d:\d\d|\d{1,2}[번시]|\d{3,4}호)[ ]{1,2}$")
_LISTED_RIGHT = re.compile(r"[ ](?:[-/·→][ ]|\(|\d)|[(/,\n]|$")
_ENDED = re.compile(r"[ ]?(?:$|[\n|/(,→·])")
_ITEM = re.compile(r"(?:^|\n)[ ]{0,2}\d{1,2}[.)][ ]?$")
# Verbs made nouns with 기, of which people agree ("오시기로 함").
_OF_MONEY = ("수납", "결제", "입금", "환불", "송금")
_INTENDED = re.compile(r"(?:시|하|오|가|받|보)기$")
_CELL_LEFT = re.compile(r"(?:^|[\n,;|=\"])$")
_CELL_RIGHT = re.compile(r"(?:$|[\n,;|\"]|[ ]?/[ ])")


def by_form(text: str) -> Iterator[Found]:
    """Words whose syllables make a name and whose surroundings do not speak against it."""
    for match in _TOKEN.finditer(text):
        word = match.group()
        if (word[0] not in SURNAMES and word[:2] not in COMPOUND_SURNAMES) or is_listed(word):
            continue
        for size in (5, 4, 3, 2):
            candidate, rest = word[:size], word[size:]
            parts = _parts(candidate) if len(candidate) == size else None
            if parts is None or not _PARTICLE.match(rest) or is_common_word(candidate):
                continue
            score = _score(text, match.start(), parts, rest)
            if score:
                yield Found(match.start(), match.start() + size, "NAME", score)
                break
    for match in _FOREIGN.finditer(text):
        if (
            _BESIDE.match(text, match.end())
            and looks_foreign(match.group())
            and not any(map(is_common_word, match.group().split()))
            and not match.group().endswith(_OF_MONEY)
        ):
            yield Found(*match.span(), "NAME", 0.6)


def signatures(text: str) -> Iterator[Found]:
    """Yield the name behind the last sentence of a line ("... 연계함. 조을순")."""
    for match in _SIGNED.finditer(text):
        whole = len(match["n"]) == 3 and given_score(match["n"][1:]) and not is_common_word(match["n"])
        if match["n"][0] in COMMON_SURNAMES and (whole or rare_name(match["n"])[1]):
            yield Found(*match.span("n"), "NAME", 0.5)
    for match in _SIGNATURE.finditer(text):
        parts = split_name(match["n"])
        if parts and given_score(parts[1]) and parts[0] in COMMON_SURNAMES and not is_common_word(match["n"]):
            yield Found(*match.span("n"), "NAME", 0.5)


def spaced(text: str) -> Iterator[Found]:
    """Names written in two words in a cell or at the start of a line: "박 형준", "알리 하산 (M/"."""
    yield from _spaced_before_end(text)
    for match in _SPACED.finditer(text):
        if given_score(match["g"]) >= 3 and not is_common_word(match["g"]) and not is_listed(match["s"]):
            yield Found(*match.span("v"), "NAME", 0.5)
    for match in _TWO_WORDS.finditer(text):
        last = split_name(match["v"].split()[-1])
        # "외래 김민서 M/40": the name is the last word, which is found by itself.
        if not any(map(is_common_word, match["v"].split())) and not (
            last and len(last[1]) == 2 and given_score(last[1]) >= 3
        ):
            yield Found(*match.span("v"), "NAME", 0.5)
    for match in _SPACED_ANYWHERE.finditer(text):
        if given_score(match["g"]) == 4 and not is_common_word(match["g"]) and not is_word_of_dictionary(match["g"]):
            yield Found(*match.span("v"), "NAME", 0.5)


def _spaced_before_end(text: str) -> Iterator[Found]:
    for match in _SPACED_ENDED.finditer(text):
        plain = not is_common_word(match["g"]) and not is_word_of_dictionary(match["g"])
        if given_score(match["g"]) >= (1 if match["s"] in _NO_WORDS else 2) and (plain or not is_listed(match["s"])):
            yield Found(*match.span("v"), "NAME", 0.5)


def _parts(word: str) -> tuple[str, str] | None:
    """Surname and given name; "황보현" is rather 황 + 보현 than 황보 + 현."""
    parts = split_name(word)
    if parts and len(parts[0]) == 2 and len(parts[1]) == 1 and given_score(word[1:]) >= 3:
        return word[0], word[1:]
    return parts


def _score(text: str, start: int, parts: tuple[str, str], rest: str) -> float:
    """Score of a candidate with no cue word; 0.0 to refuse."""
    surname, given = parts
    quality = given_score(given)
    usual = surname in USUAL_SURNAMES or len(surname) > 1
    end = start + len(surname) + len(given)
    beside = not rest and _BESIDE.match(text, end)
    if quality == 0:
        # An unusual given name is believed beside sex, age or a number only.
        likely = beside and usual and len(given) == 2 and not _unlikely(surname + given, text, end)
        return 0.6 if likely else 0.0
    if beside:
        return 0.0 if quality < 3 and is_derived(surname + given) else 0.75
    if quality == 4 and given[-1] != "일" and _DATE_BEHIND.match(text, end):
        return 0.6
    said = _is_word(text, start, end, (surname + given, rest, quality))
    return (
        0.0
        if said or (rest and (len(given) == 1 or not (usual or quality == 4)))
        else _score_of_form(text, start, (surname, given, rest), quality)
    )


def _is_word(text: str, start: int, end: int, form: tuple[str, str, int]) -> bool:
    """Whether a candidate is rather a listed word with something glued to it, or a quantity."""
    name, rest, quality = form
    if (_INTENDED.search(name) and rest == "로") or (is_prolonged(name) and not _EDGE_RIGHT.match(text, end)):
        return True
    if _MEASURED.match(text, end) or is_surely_inflected(name) or is_compound(name + rest):
        return True
    if _EDGE_LEFT.search(text, max(0, start - 5), start) and _EDGE_RIGHT.match(text, end):
        return False
    return is_inflected(name) or (quality < 4 and is_derived(name))


def _score_of_form(text: str, start: int, form: tuple[str, str, str], quality: int) -> float:
    surname, given, rest = form
    usual = surname in USUAL_SURNAMES or len(surname) > 1
    end = start + len(surname) + len(given)
    if not rest and _is_listed_item(
        text, start, end, likely=len(given) >= 2 and (surname in COMMON_SURNAMES or quality > 2), quality=quality
    ):
        return 0.5
    ended = not rest and _ENDED.match(text, end) is not None
    believed = quality >= (3 if usual or ended else 4)
    believed = believed or (len(given) == 3 and surname in COMMON_SURNAMES)
    doing = (quality >= 3 or surname in COMMON_SURNAMES) and _DOING.match(text, end + len(rest))
    if len(given) >= 2 and (believed or (doing and len(given) == 2)):
        return 0.5
    if doing and text[start - 1 : start] == "(" and surname in COMMON_SURNAMES:
        return 0.5
    return 0.0 if rest else _score_of_cell(text, start, end, (usual, quality))


def _is_listed_item(text: str, start: int, end: int, *, likely: bool, quality: int) -> bool:
    """Whether a candidate stands behind the hour of an event, or between a record number and the end of a line."""
    if likely and quality >= 2 and _TIME_BEFORE.search(text, max(0, start - 9), start):
        return True
    placed = any(one.search(text, max(0, start - 9), start) for one in (_TIME_BEFORE, _BED_BEFORE))
    if placed and text[start] in COMMON_SURNAMES:
        return _LISTED_RIGHT.match(text, end) is not None
    numbered = quality >= 3 or text[start] in USUAL_SURNAMES
    return bool(numbered and _NUMBER_BEFORE.search(text, max(0, start - 12), start) and _EDGE_RIGHT.match(text, end))


def _unlikely(name: str, text: str, end: int) -> bool:
    """Whether a word is rather a measured quantity or a noun with an ending."""
    return is_derived(name) or is_inflected(name) or is_compound(name) or _MEASURED.match(text, end) is not None


def _score_of_cell(text: str, start: int, end: int, form: tuple[bool, int]) -> float:
    """Score of a candidate that stands alone between delimiters: a cell, a list item, a bracket."""
    usual, quality = form
    before = text[max(0, start - 5) : start]
    if usual and _CELL_LEFT.search(before) and _CELL_RIGHT.match(text, end):
        return 0.5
    edges = _EDGE_LEFT.search(before) and _EDGE_RIGHT.match(text, end)
    bracketed = before.endswith("(") and text.startswith(")", end)
    return (
        0.45
        if edges
        and end - start > 2
        and (usual or quality == 4 or ((bracketed or _ITEM.search(before)) and quality >= 3))
        else 0.0
    )


def repeated(text: str, known: dict[str, float]) -> Iterator[Found]:
    """Other places of names already found (name -> score), glued or spaced; short ones only as whole words.

    One pass over the words, however many names there are.
    """
    names = {name: score for name, score in known.items() if score >= 0.5 and split_name(name) and is_word(name)}
    firsts, sizes = {name[0] for name in names}, sorted({len(name) for name in names})
    words = hangul_words(text) if names else ()
    for index, (start, end, word) in enumerate(words):
        if firsts.isdisjoint(word):
            continue
        for place, syllable in enumerate(word):
            if syllable in firsts:
                for size in (size for size in sizes if place + size <= len(word)):
                    score = names.get(word[place : place + size])
                    if score and (size > 2 or (place == 0 and _PARTICLE_ALONE.match(text, start + size))):
                        yield Found(start + place, start + place + size, "NAME", score)
        if index + 1 < len(words):
            yield from _parted(text, names, (start, end, word), words[index + 1])


def _parted(text: str, names: dict[str, float], one: Word, other: Word) -> Iterator[Found]:
    """Yield a known name whose parts are one or two spaces apart: surname at the end of a word, given name behind."""
    (_, until, word), (start, _, following) = one, other
    if text[until:start] not in {" ", "  "}:
        return
    for surname in (word[-1:], word[-2:]):
        for size in (1, 2, 3):
            name = surname + following[:size]
            parts = split_name(name) if name in names else None
            whole = len(name) > 2 or (len(word) == 1 and _PARTICLE_ALONE.match(text, start + size))
            if parts and parts[0] == surname and len(following) >= size and whole:
                yield Found(until - len(surname), start + size, "NAME", names[name])
