"""Names beside cues: behind labels and roles, before titles, given names of relatives and children."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.cues import ASKING, LATIN_ROLES, NOT_BEFORE_TITLE, PARTICLES, RANKS, ROLES, TITLES
from deid.detect.found import Found
from deid.detect.stopwords import is_common_word, is_compound, is_inflected, is_listed, is_surely_inflected
from deid.detect.syllables import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    NATIVE,
    ONE,
    SURNAMES,
    USUAL_SURNAMES,
    given_score,
    looks_foreign,
    split_name,
)

_SEP = r"(?:[은는이가](?![가-힣]))?(?![가-힣])[ ]{0,3}(?:[:=/·,)\]|>-]|\(|\[)?[ ]{0,3}[\"'<(]?"
_ASKED = re.compile(rf"(?:{ASKING}|(?<![A-Za-z])(?:NAME|Name|name|ptnm|ptname|patnm)(?![A-Za-z])\"?){_SEP}(?=[가-힣])")
_LONG_ROLES = "|".join(role for role in ROLES.split("|") if len(role) > 1)
_SHORT_ROLES = "|".join(role for role in ROLES.split("|") if len(role) == 1)
_ROLE = re.compile(rf"(?<![가-힣])(?:[가-힣]{{0,6}}?(?:{_LONG_ROLES})|(?:{_SHORT_ROLES}))(?:님|분)?{_SEP}(?=[가-힣])")
# An office and what follows it in a signature ("진료협력팀 김철수").
_OFFICE = re.compile(
    r"(?<![가-힣])(?:[가-힣]{2,8}(?:과|팀|센터|약국|의원|병원|보건소|학교|사단|연구소|재단|복지관)|[가-힣]{0,6}병동|원무실|행정실|"
    r"대위|중위|소위|대령|중령|소령|상병|병장|일병|이병|하사|중사|상사|원사)[ ]{1,2}(?=[가-힣]{2,5}(?![가-힣]{3}))"
)
_ALONE = re.compile(r"[ ]{0,3}(?:$|[\n()/,]|[ ]{2}|TEL|☎)")
_HEADER = re.compile(r"(?m)^[ ]{0,2}(?:From|To|Cc|Bcc|CC|TO|FROM|참조|수신|발신|보낸 ?이|받는 ?이)[ ]?:[ ]?\"?(?=[가-힣])")
_STRONG = re.compile(r"[:=|>\])][ ]{0,3}[\"'<(]?$")
_FOR_ANYONE = frozenset({"님", "씨", "할머니", "할아버지", "환자", "어르신"})
# Titles only persons have: before these a rare given name is believed ("환자" may follow an illness).
_FOR_PERSONS = frozenset(
    "님 씨 할머니 할아버지 어르신 교수 교수님 과장 과장님 원장 원장님 간호사 선생님 수간호사 여사님 수녀 약사".split()
)
_LATIN_ROLE = re.compile(
    rf"(?<![A-Za-z])(?:{LATIN_ROLES})(?![A-Za-z])[ ]{{0,3}}[:=.)(/-]{{0,2}}[ ]{{0,3}}[\"'<(]?(?=[가-힣])"
)
_RUN = re.compile(r"[가-힣]{1,12}")
_NEXT = re.compile(r"[ ]?님?[ ]?[,·/&][ ]?(?=[가-힣]{2,4}(?![가-힣]))")
_SPACED_GIVEN = re.compile(
    r"[ ]{1,2}([가-힣](?:[ ][가-힣]){1,2}|[가-힣]{1,2})(?![가-힣])|[ ]{1,2}([가-힣]{2})(?=[은는이가을를의과와도](?![가-힣]))"
)
_WORDS = re.compile(r"[가-힣]{1,5}[ ][가-힣]{1,5}(?:[ ][가-힣]{1,5})?(?![가-힣])")
_TOKEN = re.compile(r"[ ][가-힣]{1,6}(?![가-힣])")
_AFTER = r"(?:님|분|들)?(?:께서는?|께는?|에게|한테|은|는|이|가|을|를|의|과|와|도|로|이고|이며|이라고|입니다|\d인)?"
_TITLE = re.compile(
    rf"(?P<n>[가-힣]{{1,8}}?(?:[ ]{{1,2}}[가-힣]{{1,5}}?){{0,2}}?)[ ]{{0,2}}(?P<t>{TITLES})(?:(?<=님)[가-힣]{{1,4}}|{_AFTER})(?![가-힣A-Za-z])"
)
_GLUED_TITLE = re.compile(r"(?:(?<![가-힣])(?P<s>[가-힣]{2})|(?P<n>[가-힣]{3}))(?:님|씨|T)(?![가-힣]{0,2}[A-Za-z])")
_SURNAME = "|".join((*COMPOUND_SURNAMES, *sorted(SURNAMES)))
_RANK = re.compile(rf"(?<![가-힣])(?P<n>{_SURNAME})[ ]?(?P<t>{RANKS}){_AFTER}(?![가-힣])")
_GIVEN_CALLED = re.compile(
    r"(?<![가-힣])(?P<n>[가-힣]{2,3})(?:이(?:는|가|도|를|한테|에게|랑|네|의)|씨|양|군)(?![가-힣]{2})"
)
_KIN = "큰아들|작은아들|막내아들|큰딸|작은딸|막내딸|따님|아드님|손주|외손자|외손녀|조카|남동생|여동생|쌍둥이|학생|내담자|아동|아들|딸|남편|아내|형|누나|언니|오빠|동생|손자|손녀|며느리|사위|자녀|모|부|환아|아기|장남|차남|장녀|차녀|막내"
_KIN_GIVEN = re.compile(
    rf"(?:{_KIN})[ ](?P<n>[가-힣]{{1,3}}?)(?:씨|이(?=[가는도랑를와]|(?![가-힣]))|양|군|(?=(?:에게|한테|가|는|"
    rf"와)(?![가-힣]))|(?=[ ]?\())(?![가-힣]{{3}})"
)
# Any word of a person's part in something ("접종자", "선언의"), then a word that is a name and nothing else.
_ANY_ROLE = re.compile(r"(?<![가-힣])[가-힣]{1,5}(?:자|의|인|사|원|장|모|명|리|당)(?P<c>[ ]?[: ][ ]?)(?P<n>[가-힣]{3,4})(?![가-힣])")
# Any other label and a colon, in Hangul before three syllables, in Latin letters before two.
_ANY_LABEL = re.compile(
    r"(?:[A-Za-z]{2}[A-Za-z_ .]{0,18}\"?[ ]?[:>][ ]?\"?(?P<n>[가-힣]{2,5})|(?<=[가-힣\]])[ ]?:[ ]?(?P<m>[가-힣]{3,4}))"
    r"(?=[ ]{0,3}(?:$|[\n(/<,\"]|[ ]{2}))"
)
# Foreign-looking words are medicines more often than people: a dose behind, or a sentence that goes on.
_DOSE = re.compile(r"[ ]?\d{1,5}(?:[.,]\d{1,3})?[ ]?(?:mg|g|ml|mL|cc|mcg|µg|U|IU|정|T|%|캡슐|회)")
_AFTER_FOREIGN = re.compile(r"[ ]{0,3}(?:$|[\n(/,;|)\]:\"'<=-]|님|씨|환자|보호자|교수|[MF]|남|여|만|\d|[가-힣]{1,2}(?![가-힣]))")
_LINE_START = re.compile(r"(?:^|[\n.,(])[ ]{0,2}$")
_VERBAL = re.compile(r"[한는은을고서던신이게로의도]$")
_PARTICLE = re.compile(rf"(?:(?:{TITLES})(?:님|분)?)?(?:{PARTICLES})?$")


def behind_cues(text: str) -> Iterator[Found]:
    """Names behind a form label ("성명:"), a role ("보호자") or a Latin one ("Dr.")."""
    for pattern in (_ASKED, _HEADER):
        for match in pattern.finditer(text):
            yield from _names_at(text, match.end(), asked=True, strong=True)
    for pattern in (_ROLE, _LATIN_ROLE):
        for match in pattern.finditer(text):
            strong = _STRONG.search(match.group()) is not None
            if match.group()[-1] in "\"'" and not strong:
                continue  # somebody's words, not a name
            yield from _names_at(text, match.end(), asked=False, strong=strong)
    for match in _OFFICE.finditer(text):
        run = _RUN.match(text, match.end())
        alone = run is not None and _ALONE.match(text, run.end())
        size = _prefix_name(run.group(), least=1 if alone else 2) if run else 0
        if size:
            yield Found(match.end(), match.end() + size, "NAME", 0.5)
    for match in _ANY_LABEL.finditer(text):
        group = "n" if match["n"] else "m"
        parts = split_name(match[group])
        usual = parts and (given_score(parts[1]) or (len(parts[1]) == 2 and parts[0] in COMMON_SURNAMES))
        if usual and not is_common_word(match[group]) and not is_compound(match[group]):
            yield Found(*match.span(group), "NAME", 0.5)
    for match in _ANY_ROLE.finditer(text):
        parts = split_name(match["n"])
        needed = 1 if match["c"].strip() else 3
        if parts and given_score(parts[1]) >= needed and not is_common_word(match["n"]):
            yield Found(*match.span("n"), "NAME", 0.6)


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
    run = _RUN.match(text, position)
    if run is None:
        return None
    word = run.group()
    edge = _ALONE.match(text, run.end()) is not None
    if asked and edge and len(word) <= 3 and is_listed(word) and text[position - 1] not in ",;/·|":
        # Where a form asks for a name even a common word is one, if nothing else stands there.
        parts = split_name(word)
        return run.end() if parts and given_score(parts[1]) and word not in NOT_BEFORE_TITLE else None
    size = _prefix_name(word, asked=asked, strong=strong, edge=edge)
    words = _WORDS.match(text, position)
    foreign = looks_foreign(words.group() if words else word)
    if size and not (foreign and size == len(word)):
        return position + size
    if word in SURNAMES or word in COMPOUND_SURNAMES:
        given = _SPACED_GIVEN.match(text, run.end())
        called = (given[1] or given[2]).replace(" ", "") if given else ""
        if given and given_score(called) and (called in NATIVE or not is_common_word(given[1] or given[2])):
            return given.end()
    if (asked or foreign) and len(word) <= 6 and not is_common_word(word) and not is_inflected(word):
        end = _end_of_foreign(text, run.end())
        if not _DOSE.match(text, end) and (asked or _AFTER_FOREIGN.match(text, end)):
            return end
    return position + size if size else None


def _end_of_foreign(text: str, end: int) -> int:
    """Return where a foreign name in Hangul ends: it has up to three words with single spaces between."""
    for _ in range(2):
        token = _TOKEN.match(text, end)
        if token is None or is_common_word(token.group().strip()):
            break
        end = token.end()
    return end


def _prefix_name(
    word: str, *, asked: bool = False, strong: bool = False, edge: bool = False, least: int = 0
) -> int:
    """How many syllables at the start of a Hangul run are a name (cue already seen); 0 for none.

    Behind a label (`asked`) a sentence may go on with 고; behind a label or a colon (`strong`), or before an `edge`, a common surname makes
    a name of any three syllables that follow it; without either the given name must reach `least`.
    """
    best, best_score = 0, 0
    for size in (5, 4, 3, 2):
        candidate, rest = word[:size], word[size:]
        glued = _PARTICLE.match(rest) or (asked and rest == "고")
        if len(candidate) < size or not glued or is_common_word(candidate) or is_listed(word):
            continue
        parts = split_name(candidate)
        if parts is None:
            continue
        quality = given_score(parts[1])
        # Behind a cue even an unusual given name of two syllables is believed, if nothing is glued to it.
        unusual = len(parts[1]) == 2 or (
            (strong or edge) and len(parts[1]) == 3 and (parts[0] in COMMON_SURNAMES or len(parts[0]) == 2)
        )
        if not asked and (is_surely_inflected(candidate) or (not strong and is_compound(word))):
            continue
        if quality < least or (quality == 0 and (rest or not unusual)):
            continue
        usual = parts[0] in USUAL_SURNAMES or len(parts[0]) > 1
        score = 1 + 2 * quality + usual + (0 if rest else 2)
        if score > best_score:
            best, best_score = size, score
    return best


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
    elif title in {"씨", "님", "산모"} and len(words) == 2 and _LINE_START.search(match.string[: match.start("n")][-3:]):
        if not any(is_common_word(word) or is_inflected(word) or _VERBAL.search(word) for word in words):
            yield Found(match.start("n"), end, "NAME", 0.5)
    elif title in _FOR_ANYONE and (looks_foreign(run) or (title == "님" and len(last) >= 2)):
        foreign = [word for word in words if not is_common_word(word)]
        whole = looks_foreign(run) and len(foreign) == len(words)
        yield Found(match.start("n") if whole else end - len(last), end, "NAME", 0.5)


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
