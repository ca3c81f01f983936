"""Names behind cues: labels of forms ("성명:"), roles ("보호자"), offices ("진료협력팀"), Latin ones ("Dr.")."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from deid.detect.cues import ASKING, LATIN_ROLES, NOT_BEFORE_TITLE, ROLES
from deid.detect.dictionary import is_prolonged
from deid.detect.found import Found
from deid.detect.hangul import hangul_words
from deid.detect.name_shape import Cue, leading_name
from deid.detect.rare_name import Chance, rare_name
from deid.detect.stopwords import is_common_word, is_compound, is_inflected, is_listed
from deid.detect.syllables import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    NATIVE,
    SURNAMES,
    given_score,
    split_name,
)
from deid.detect.transcribed import foreign_tail, is_said, looks_foreign

_SEP = r"(?:[은는이가](?![가-힣]))?(?![가-힣])[ ]{0,3}(?:[:=/·,)\]|>-]|\(|\[)?[ ]{0,3}[\"'<(]?"
_ASKED = re.compile(rf"(?:{ASKING}|(?<![A-Za-z])(?:NAME|Name|name|ptnm|ptname|patnm)(?![A-Za-z])\"?){_SEP}(?=[가-힣])")
_LONG_ROLES = "|".join(role for role in ROLES.split("|") if len(role) > 1)
_SHORT_ROLES = "|".join(role for role in ROLES.split("|") if len(role) == 1)
# A word that is a role, perhaps with what it is a role in ("입원담당의는"), and what parts it from a name.
_ROLE = re.compile(rf"(?:[가-힣]{{0,6}}?(?:{_LONG_ROLES})|(?:{_SHORT_ROLES}))(?:님|분)?[은는이가]?")
_ROLE_OF_WORDS = re.compile("|".join(role.replace("[ _]?", "[ _]") for role in ROLES.split("|") if "[ _]?" in role))
# Roles are counted too ("확인1 ...").
_BEHIND_ROLE = re.compile(r"(?:[1-9](?=[ :=]))?[ ]{0,3}(?:[:=/·,)\]|>-]|\(|\[)?[ ]{0,3}[\"'<(]?(?=[가-힣])")
# An office and what follows it in a signature ("진료협력팀 김철수").
_OFFICE = re.compile(
    r"(?<![가-힣])(?:(?!결과|경과|효과|초과|통과)[가-힣]{1,8}(?:과|팀|실|센터|약국|의원|병원|보건소|학교|사단|연구소|"
    r"재단|복지관)|[가-힣]{0,6}병동|원무실|행정실|"
    r"대위|중위|소위|대령|중령|소령|상병|병장|일병|이병|하사|중사|상사|원사)[ ]{1,2}(?=[가-힣]{2,5}(?![가-힣]{3}))"
)
# Departments and stations by their Latin codes, and what people of a team are ("ENT 김철수 상의됨", "CRRT 김철수").
_LATIN_OFFICE = re.compile(
    r"(?<![A-Za-z])(?:GS|IM|OS|NS|ENT|OB|GY|OBGY|PED|PD|EM|ER|ICU|RM|NP|PSY|UR|URO|CS|TS|PS|OPH|DER|RAD|ANE|FM|GI|NR|"
    r"CRRT|ECMO|HD|PCI|EKG|CNS|APN|CT|US|to|with|from|w/)[ ](?=[가-힣]{2,4}(?![가-힣]))"
)
_LATIN_BEHIND = re.compile(r"[ ](?:by|at|on|and|from|who|for|\()(?![A-Za-z])")
_AGED = re.compile(
    r"(?<![\d./])(?:\d{1,3}[ ]?/[ ]?[MF남여]|[MF남여][ ]?/[ ]?\d{1,3})[ ]{1,2}(?=[가-힣]{2,5}(?![가-힣]{3}))"
)
_ALONE = re.compile(r"(?:입니다|인데요|이라고)|[ ]{0,3}(?:$|[\n()/,<]|[ ]{2}|TEL|☎)")
_ENDED = re.compile(r"[ ]{0,2}(?:$|[\n(/|,→])")
_HEADER = re.compile(r"(?m)^[ ]{0,2}(?:From|To|Cc|Bcc|TO|FROM|참조|수신|발신|보낸 ?이|받는 ?이)[ ]?:[ ]?\"?(?=[가-힣])")
_STRONG = re.compile(r"[:=|>\])][ ]{0,3}[\"'<(]?$")
_LATIN_ROLE = re.compile(
    rf"(?<![A-Za-z])(?:{LATIN_ROLES})(?![A-Za-z])[ ]{{0,3}}[:=.)(/-]{{0,2}}[ ]{{0,3}}[\"'<(]?(?=[가-힣])"
)
_LATIN_WORD = re.compile(r"[A-Za-z0-9]{1,24}")
_LATIN_STARTS = frozenset(re.split(r"[\\\[-]", role)[0] for role in LATIN_ROLES.split("|"))
_RUN = re.compile(r"[가-힣]{1,12}")
_NEXT = re.compile(r"[ ]?님?[ ]?[,·/&][ ]?(?=[가-힣]{2,4}(?![가-힣]))")
_SPACED_GIVEN = re.compile(
    r"[ ]{1,2}([가-힣](?:[ ][가-힣]){1,2}|[가-힣]{1,2})(?![가-힣])|"
    r"[ ]{1,2}([가-힣]{2})(?=[은는이가을를의과와도](?![가-힣]))"
)
_WORDS = re.compile(r"[가-힣]{1,5}[ ][가-힣]{1,5}(?:[ ][가-힣]{1,5})?(?![가-힣])")
_TOKEN_GLUED = re.compile(r"[ ](?P<n>[가-힣]{1,5})(?=(?:은|는|이|가|을|를|와|과|의|도|이랑|랑)[ ])")
_TOKEN = re.compile(r"[ ][가-힣]{1,6}(?![가-힣])")
# Any word of a person's part in something ("접종자", "선언의"), then a word that is a name and nothing else.
_ANY_ROLE = re.compile(
    r"(?<![가-힣])[가-힣]{1,5}(?:자|의|인|사|원|장|모|명|리|당)(?P<c>[ ]?[: ][ ]?)(?P<n>[가-힣]{2,4})(?![가-힣])"
)
# Any other label and a colon, in Hangul before three syllables, in Latin letters before two.
_ANY_LABEL = re.compile(
    r"(?:[A-Za-z]{2}[A-Za-z_ .]{0,18}\"?[ ]?[:>][ ]?\"?(?P<n>[가-힣]{2,5})|(?<=[가-힣\]])[ ]?:[ ]?(?P<m>[가-힣]{3,4}))"
    r"(?=[ ]{0,3}(?:$|[\n(/<,\"]|[ ]{2}))"
)
# How people say who they are ("저 ...인데요").
_INTRODUCED = re.compile(
    r"(?<![가-힣])(?:저는?|나는?|제[ ]이름은)[ ](?P<n>[가-힣]{2,5}?)"
    r"(?:인데요?|이에요|예요|이라고|라고|입니다|이고요)(?![가-힣]{2})"
)
# Two syllables behind a Hangul label, an end behind them.
_SHORT_LABELLED = re.compile(r"(?<=[가-힣])[ ]?:[ ](?P<n>[가-힣]{2})(?=[ ]{0,3}(?:$|\n)|[ ]{2})")
# Foreign-looking words are medicines more often than people: a dose behind, or a sentence that goes on.
_DOSE = re.compile(r"[ ]?\d{1,5}(?:[.,]\d{1,3})?[ ]?(?:mg|g|ml|mL|cc|mcg|µg|U|IU|정|T|%|캡슐|회)")
_AFTER_FOREIGN = re.compile(
    r"[ ]{0,3}(?:$|[\n(/,;|)\]:\"'<=-]|(?:at|on|by|and|from|seen|was|is|has|had|wants|denies|reports)(?![a-z])|"
    r"님|씨|환자|보호자|교수|[MF]|남|여|만|\d|[가-힣]{1,2}(?![가-힣]))"
)
_SUBJECT = re.compile(r"[이가은는도에][ ][가-힣]")
# "이름 / 학년반 / 측정": a row of labels asks for nothing.
_IN_ROW = re.compile(r"[/|,;][ ]{0,3}$")
# Words of a sentence about names, not a name.
_IN_SENTENCE = re.compile(r"[가-힣]{1,6}(?:에|을|를|은|는|의|한|된|등)[ ][가-힣]")
# A telephone number, or a seal.
_OF_PERSON = re.compile(
    r"[ ]?\([ ]?(?:인|서명|자필)[ ]?\)|[ ]?[(/,:]?[ ]?(?:\(?0(?:1\d|2|[3-6]\d)\)?[ )./-]{0,2}\d{3}|\+82)"
)


def behind_cues(text: str) -> Iterator[Found]:
    """Names behind a form label ("성명:"), a role ("보호자") or a Latin one ("Dr.")."""
    for pattern in (_ASKED, _HEADER):
        for match in pattern.finditer(text):
            yield from _names_at(text, match.end(), asked=True, strong=True)
    for gap in _behind_roles(text):
        strong = _STRONG.search(gap.group()) is not None
        # Without a colon a quotation mark opens somebody's words, not a name.
        if strong or gap.group()[-1] not in "\"'":
            yield from _names_at(text, gap.end(), asked=False, strong=strong)


def _behind_roles(text: str) -> Iterator[re.Match[str]]:
    """Yield what parts each role from the Hangul behind it."""
    ends = [end for _, end, word in hangul_words(text) if _is_role(word)]
    ends += [role.end() for role in _ROLE_OF_WORDS.finditer(text)]
    for end in ends:
        gap = _BEHIND_ROLE.match(text, end)
        if gap and gap.end() > end:
            yield gap
    starts = [word.start() for word in _LATIN_WORD.finditer(text) if word.group() in _LATIN_STARTS]
    yield from filter(None, (_LATIN_ROLE.match(text, start) for start in starts))


@lru_cache(maxsize=1 << 16)
def _is_role(word: str) -> bool:
    return _ROLE.fullmatch(word) is not None


def behind_any_word(text: str) -> Iterator[Found]:
    """Names behind words that are no listed role: an office, any label with a colon, any word of a person's part."""
    for match in (*_OFFICE.finditer(text), *_AGED.finditer(text)):
        run = _RUN.match(text, match.end())
        size = _size_behind_office(text, run) if run else 0
        if size:
            yield Found(match.end(), match.end() + size, "NAME", 0.5)
    yield from _behind_any_label(text)
    for match in _ANY_ROLE.finditer(text):
        needed = 1 if match["c"].strip() else 3
        if len(match["n"]) == 2:
            needed = 1 if _ALONE.match(text, match.end()) and match["n"][0] in COMMON_SURNAMES else 9
        if _is_likely(match["n"], needed) and (match["c"].strip() or not is_inflected(match["n"])):
            yield Found(*match.span("n"), "NAME", 0.6)


def _behind_any_label(text: str) -> Iterator[Found]:
    for match in _ANY_LABEL.finditer(text):
        group = "n" if match["n"] else "m"
        unusual = match[group][:1] in COMMON_SURNAMES and len(match[group]) == 3 and not is_common_word(match[group])
        if (unusual or _is_likely(match[group], 1)) and not is_compound(match[group]):
            yield Found(*match.span(group), "NAME", 0.5)
    for match in _INTRODUCED.finditer(text):
        usual = match["n"][0] in COMMON_SURNAMES and len(match["n"]) == 3
        if (usual or _is_likely(match["n"], 1)) and not is_common_word(match["n"]):
            yield Found(*match.span("n"), "NAME", 0.6)
    for match in _SHORT_LABELLED.finditer(text):
        if match["n"][0] in COMMON_SURNAMES and rare_name(match["n"])[1]:
            yield Found(*match.span("n"), "NAME", 0.5)


def behind_codes(text: str) -> Iterator[Found]:
    """Names behind the Latin code of a department or of a machine somebody runs."""
    for match in _LATIN_OFFICE.finditer(text):
        run = _RUN.match(text, match.end())
        words = _WORDS.match(text, match.end())
        if words and foreign_tail(words.group().split(" ")) == words.group().count(" ") + 1:
            yield Found(*words.span(), "NAME", 0.6)
        elif run:
            behind = _LATIN_BEHIND.match(text, run.end()) is not None
            size = leading_name(run.group(), Cue(least=1 if behind or _ALONE.match(text, run.end()) else 3))
            if size == len(run.group()) and (size > 2 or (behind and run.group()[0] in COMMON_SURNAMES)):
                yield Found(match.end(), match.end() + size, "NAME", 0.5)


def _size_behind_office(text: str, run: re.Match[str]) -> int:
    named = _ALONE.match(text, run.end()) or run.group().endswith(("입니다", "인데요", "이라고"))
    size, chance = rare_name(run.group()) if named else (0, Chance.NONE)
    if is_prolonged(run.group()):
        return 0
    return leading_name(run.group(), Cue(least=1 if named else 2)) or (size if size > 2 and chance else 0)


def _is_likely(word: str, needed: int) -> bool:
    parts = split_name(word)
    return parts is not None and given_score(parts[1]) >= needed and not is_common_word(word)


def _names_at(text: str, position: int, *, asked: bool, strong: bool) -> Iterator[Found]:
    """Yield the name that begins at `position`, and those that follow it after commas ("A, B")."""
    end = _end_of_name(text, position, asked=asked, strong=strong)
    while end is not None:
        yield Found(position, end, "NAME", 0.9 if asked else 0.8)
        following = _NEXT.match(text, end)
        if following is None:
            return
        position = following.end()
        end = _end_of_name(text, position, asked=False, strong=False)


def _end_of_name(text: str, position: int, *, asked: bool, strong: bool) -> int | None:
    """Return where the name that begins at `position` ends; `None` if none does."""
    run = _RUN.match(text, position)
    if run is None:
        return None
    word = run.group()
    edge = _ALONE.match(text, run.end()) is not None
    if asked and edge and len(word) <= 3 and is_listed(word) and text[position - 1] not in ",;/·|":
        return _end_of_common_word(run)
    size = leading_name(word, Cue(asked=asked, strong=strong, edge=edge, least=_least(text, run, asked=asked)))
    if size and (size < len(word) or not _is_foreign_at(text, position)):
        return position + size
    return (
        _end_of_spaced(text, run)
        or _end_of_callable(text, run)
        or _end_of_foreign(text, run, asked=asked and not _IN_ROW.search(text, max(0, position - 4), position))
        or (position + size if size else None)
    )


def _least(text: str, run: re.Match[str], *, asked: bool) -> int:
    """How usual a given name must be: more where a sentence goes on behind a particle ("허리가 아파서")."""
    return 3 if not asked and len(run.group()) == 3 and _SUBJECT.match(text, run.end() - 1) else 0


def _end_of_common_word(run: re.Match[str]) -> int | None:
    """Where a form asks for a name even a common word is one, if nothing else stands there."""
    parts = split_name(run.group())
    return run.end() if parts and given_score(parts[1]) and run.group() not in NOT_BEFORE_TITLE else None


def _end_of_spaced(text: str, run: re.Match[str]) -> int | None:
    """Surname and given name with spaces between ("김 다 인", "남궁 율")."""
    if run.group() not in SURNAMES and run.group() not in COMPOUND_SURNAMES:
        return None
    given = _SPACED_GIVEN.match(text, run.end())
    if given is None:
        return None
    called = (given[1] or given[2]).replace(" ", "")
    sure = called in NATIVE or (given_score(called) == 4 and _ENDED.match(text, given.end()))
    believed = given_score(called) and (sure or not is_common_word(given[1] or given[2]))
    return given.end() if believed else None


def _is_foreign_at(text: str, position: int) -> bool:
    words = _WORDS.match(text, position) or _RUN.match(text, position)
    return words is not None and looks_foreign(words.group())


def _end_of_callable(text: str, run: re.Match[str]) -> int | None:
    """Whoever can be called is a person, whatever the name ("보호자 로사 멘도사 (010-")."""
    words = _WORDS.match(text, run.start()) or run
    if not _OF_PERSON.match(text, words.end()) or not 2 <= len(run.group()) <= 6:
        return None
    parts = words.group().split()
    known = len(parts) > 1 or looks_foreign(words.group()) or split_name(run.group()) is not None
    said = any(map(is_said, parts))
    return words.end() if known and not said else None


def _end_of_foreign(text: str, run: re.Match[str], *, asked: bool) -> int | None:
    """Return where a foreign name in Hangul ends: it has up to three words with single spaces between."""
    word = run.group()
    if not (asked or _is_foreign_at(text, run.start())) or len(word) > 6 or is_said(word):
        return None
    if _IN_SENTENCE.match(text, run.start()):
        return None
    end = run.end()
    for _ in range(2):
        token = _TOKEN.match(text, end)
        last = _TOKEN_GLUED.match(text, end)
        if token is None and last and looks_foreign(text[run.start() : last.end()]) and not is_said(last["n"]):
            return last.end()
        if token is None or is_said(token.group().strip()):
            break
        end = token.end()
    if end == run.end() and is_common_word(word):
        return None
    return end if not _DOSE.match(text, end) and (asked or _AFTER_FOREIGN.match(text, end)) else None
