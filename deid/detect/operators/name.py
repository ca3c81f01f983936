"""`korean_name`: a person's name becomes another name of the same kind and length, by a key.

The surname and the given name are drawn apart, so that 김철수, 김 교수 and 철수 of one note stay one person: the
surname by the surname alone, the given name by the whole name. A surname never stands for itself. Different names may
get the same stand-in (there are some sixty thousand); whoever needs to tell people apart takes the keyed placeholder.
The lists are fixed: another list would change every stand-in of a data set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from deid.detect.operators.keyed import Draw, KoreanOperator, core_of
from deid.detect.syllables import COMPOUND_SURNAMES, split_name

_SURNAMES = tuple("김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허남심노하곽성차주우구민진나지엄채원천방공현")
_COMPOUND = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방")
_FIRST = tuple("지서민현성영정은재승동수준미경상진태도하유예연윤종주시원혜희선병창기광인용형규찬")
_SECOND = tuple("영숙희자수우현민호진준훈윤은아연원서정경미순식철석환혁성규빈기주인재용일화")
_LATIN_FAMILY = ("Kang", "Moon", "Seo", "Baek", "Ryu", "Noh", "Shim", "Hwang", "Yang", "Bae", "Heo", "Ahn")
_LATIN_GIVEN = (
    "Jimin",
    "Hayoon",
    "Doyun",
    "Seojin",
    "Minjae",
    "Yuna",
    "Taeho",
    "Sohee",
    "Junseo",
    "Areum",
    "Inho",
    "Bora",
)
_HANJA_FAMILY = tuple("金李朴崔鄭姜趙尹張林韓吳徐申權黃安宋柳洪")
_HANJA_GIVEN = tuple("民俊瑞賢宇智恩秀英善在成鎭浩哲敏珍姬淑美")
_HANGUL, _HANJA, _WORD = re.compile(r"[가-힣]+"), re.compile(r"[\u4e00-\u9fff]+"), re.compile(r"[A-Za-z]+")
_LONGEST = 5
_FOREIGN_LENGTH = 3


class KoreanName(KoreanOperator):
    """Params: `key`; `persons` (optional): given name to whole name, for given names that stand alone."""

    NAME = "korean_name"

    def stand_in(self, value: str, params: Mapping[str, Any]) -> str:
        """See `KoreanOperator.stand_in`; Hangul, Hanja and Latin letters each get their own."""
        core, key = core_of(value), params["key"]
        if _HANGUL.fullmatch(core):
            return _hangul(core, key, params.get("persons") or {})
        if _HANJA.fullmatch(core):
            draw = Draw(key, "hanja", core)
            return draw.of(_HANJA_FAMILY) + "".join(draw.of(_HANJA_GIVEN) for _ in core[1:])
        if _WORD.search(value):
            return _latin(value, Draw(key, "latin", core.lower()))
        return _hangul(core, key, {})


def _hangul(core: str, key: bytes, persons: Mapping[str, str]) -> str:
    if core in persons:
        whole = split_name(persons[core])
        return _given(persons[core], whole[1] if whole else core, key)
    if core in _SURNAMES or core in COMPOUND_SURNAMES:
        return _surname(core, key)
    parts = split_name(core) if len(core) <= _LONGEST else None
    if parts is None:
        # A given name alone stays as long as it is; a transcribed foreign name becomes a usual Korean one.
        return (
            _given(core, core, key)
            if len(core) < _FOREIGN_LENGTH
            else _surname(core[0], key) + _given(core, "가나", key)
        )
    return _surname(parts[0], key) + _given(core, parts[1], key)


def _surname(surname: str, key: bytes) -> str:
    circle = _circle(key, _COMPOUND if len(surname) > 1 else _SURNAMES)
    if surname in circle:
        return circle[(circle.index(surname) + 1) % len(circle)]
    return Draw(key, "surname", surname).of(circle)


@lru_cache(maxsize=256)
def _circle(key: bytes, surnames: Sequence[str]) -> tuple[str, ...]:
    """Return the surnames in an order of the key; each is replaced by the next, so none by itself and no two alike."""
    return tuple(sorted(surnames, key=lambda surname: Draw(key, "circle", surname).below(1 << 60)))


def _given(whole: str, given: str, key: bytes) -> str:
    draw = Draw(key, "given", whole)
    while True:
        found = draw.of(_FIRST) if len(given) > 1 else ""
        found += "".join(draw.of(_SECOND) for _ in range(max(1, min(len(given), _LONGEST) - len(found))))
        if found != given:
            return found


def _latin(value: str, draw: Draw) -> str:
    words = _WORD.findall(value)
    replaced = iter(
        [_cased(word, draw.of(_LATIN_FAMILY if index == 0 else _LATIN_GIVEN)) for index, word in enumerate(words)]
    )
    return _WORD.sub(lambda _: next(replaced), value)


def _cased(word: str, stand_in: str) -> str:
    if len(word) == 1:
        return stand_in[0]
    return stand_in.upper() if word.isupper() else stand_in.lower() if word.islower() else stand_in
