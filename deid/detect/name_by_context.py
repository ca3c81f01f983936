"""Names by what stands around them: glued text, chats, lists of people, given names of known ones."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deid.detect.found import Found
from deid.detect.hangul import hangul_words
from deid.detect.stopwords import is_common_word, is_inflected
from deid.detect.syllables import COMMON_SURNAMES, given_score, split_name
from deid.detect.transcribed import foreign_tail

_TITLE = (
    "님|씨|교수|선생|쌤|샘|간호사|환자|보호자|과장|원장|실장|"
    "팀장|여사|할머니|할아버지|어르신|기사|약사|조무사|복지사|치료사|주임|대리|원무"
)
_ROLE = (
    "보호자|환자|담당의|담당|주치의|간호사|교수|남편|아내|아들|딸|배우자|집도의|전공의|대상자|수진자|피보험자|산모|"
    "환아|담임|통역|따님|아드님|부인|성명|이름|예금주|"
    "신청인|작성자|보고자|발신|수신|서명|확인|원장|과장|어머니|아버지|며느리|사위|손자|손녀|동생|언니|오빠|누나"
)
# Written without spaces: a role, a name, then a title, a number, a bracket or what people do.
_GLUED_ROLE = re.compile(
    rf"(?:{_ROLE})(?:분|님)?(?P<n>[가-힣]{{2,4}}?)(?=(?:{_TITLE})|연락처|전화|휴대폰|핸드폰|번호|통화|동반|면회|상주|"
    rf"내원|방문|동의|"
    rf"서명|확인|주소|[\d(:/,]|$|\n)"
)
_GLUED_TITLE = re.compile(rf"(?P<n>[가-힣]{{3}})(?:{_TITLE})")
# Messengers print "[이름] [오후 3:12]" or "이름 : " behind the time.
_CHAT = re.compile(
    r"(?m)^[ ]{0,2}\[(?P<n>[가-힣]{2,5})[^\]\n]{0,12}\][ ]{0,2}\[(?:오전|오후)?[ ]?\d{1,2}:|"
    r"(?:오전|오후)[ ]?\d{1,2}:\d\d,[ ](?P<m>[가-힣]{2,5})[ ]?:"
)
# Speakers at the beginning of lines, if their words follow.
_SPEAKER = re.compile(r"(?m)^[ ]{0,2}(?P<n>[가-힣]{3})[ ]?[:>][ ](?=[가-힣\d])")
_BETWEEN = (
    r"[ ]?(?:님|교수|선생님|과장|T|쌤|RN|\([^()\n]{1,14}\))?[ ]{0,2}(?:[,·/&]|→|->|및|[ ])[ ]{0,2}(?:[A-Z]{1,3}[ ])?"
)
_NEXT = re.compile(
    rf"{_BETWEEN}(?P<n>[가-힣]{{2,5}})(?=[ ]?(?:$|[\n,·/&()→;|]|\.(?!\d)|(?:순|둘|외|등)(?![가-힣])|"
    r"님|교수|선생|과장|T\b|쌤|RN|[MF]/|\d|[A-Za-z]))"
)
_BEFORE = re.compile(rf"(?:^|[\n,·/&():;|>→\]\t]|[가-힣A-Za-z][ ])[ ]{{0,2}}(?P<n>[가-힣]{{2,4}}){_BETWEEN}$")
_CALLED = frozenset(["", "이", "은", "는", "가", "이는", "이가", "이를", "씨", "님", "양", "군", "의", "에게", "한테"])
_RANKS = frozenset(_TITLE.split("|"))
_REACH = 24
_NEXT_FOREIGN = re.compile(
    r"[ ]?(?:님|\([^()\n]{1,14}\))?[ ]?[,·/→][ ]?(?:[A-Z]\d{1,2}[ ])?"
    r"(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){1,2})(?![가-힣])"
)
_FOREIGN_BEFORE = re.compile(
    r"(?:^|[\n,·/&():;|→]|[가-힣][ ])[ ]?(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){1,2})[ ]?[,·/→][ ]?$"
)


def glued(text: str) -> Iterator[Found]:
    """Names between a role and a title with no space."""
    for pattern, needed in ((_GLUED_ROLE, 1), (_GLUED_TITLE, 3)):
        for match in pattern.finditer(text):
            if _likely(match["n"], needed):
                yield Found(*match.span("n"), "NAME", 0.7)


def senders(text: str) -> Iterator[Found]:
    """Senders of chat messages and speakers of a conversation."""
    for match in _SPEAKER.finditer(text):
        if _likely(match["n"], 2):
            yield Found(*match.span("n"), "NAME", 0.5)
    for match in _CHAT.finditer(text):
        group = "n" if match["n"] else "m"
        if split_name(match[group]):
            yield Found(*match.span(group), "NAME", 0.8)


def neighbours(text: str, names: Iterable[Found]) -> Iterator[Found]:
    """Words that stand in one list with a name and can be one ("정은총 / 조초아 / 송필례"), in both directions."""
    waiting, seen = [found for found in names if found.score >= 0.5 and found.end - found.start > 1], set[int]()
    while waiting:
        found = waiting.pop()
        before = max(0, found.start - _REACH)
        yield from _foreign_beside(text, found)
        for match in (_NEXT.match(text, found.end), _BEFORE.search(text[before : found.start])):
            if match is None:
                continue
            # Only a space between them: the neighbour must look like a name by itself, and stand behind.
            listed = match.group().replace(match["n"], "").strip(" \n")
            if not listed and match.string is not text:
                continue
            if not _likely(match["n"], 0 if listed else 2) or is_inflected(match["n"]):
                continue
            start = match.start("n") + (0 if match.string is text else before)
            if start not in seen:
                seen.add(start)
                waiting.append(Found(start, start + len(match["n"]), "NAME", 0.55))
                yield waiting[-1]


def _foreign_beside(text: str, found: Found) -> Iterator[Found]:
    """Foreign names of two words and more that stand in one list with a name."""
    before = max(0, found.start - _REACH)
    left = text[before : found.start]
    for match in (
        _NEXT_FOREIGN.match(text, found.end),
        _FOREIGN_BEFORE.search(left) if left.rstrip(" ").endswith((",", "·", "/", "→")) else None,
    ):
        if match and foreign_tail(match["n"].split(" ")) == match["n"].count(" ") + 1:
            start = match.start("n") + (0 if match.string is text else before)
            yield Found(start, start + len(match["n"]), "NAME", 0.6)


def called_by_given_name(text: str, known: Iterable[str]) -> Iterator[Found]:
    """Given names of people whose whole name stands in the text ("박해린 ... 해린이는")."""
    parts = filter(None, map(split_name, known))
    called = {given for _, given in parts if len(given) in {2, 3} and given_score(given) >= 2}
    called = {given for given in called if not is_common_word(given)}
    for start, _, word in hangul_words(text) if called else ():
        for size in (2, 3):
            if len(word) >= size and word[:size] in called and word[size:] in _CALLED:
                yield Found(start, start + size, "NAME", 0.6)


def _likely(word: str, needed: int) -> bool:
    """Whether a word can be a name: the given name reaches `needed`; if nothing is, a common surname will do."""
    parts = split_name(word)
    if parts is None or is_common_word(word) or parts[1] in _RANKS:
        return False
    quality = given_score(parts[1])
    return quality >= max(1, needed) or (not needed and len(parts[1]) == 2 and parts[0] in COMMON_SURNAMES)
