"""From a known value to the forms in which a note may hold it, whole or in part, and what each form needs beside it.

Partial forms are weak evidence in the notes of a stranger and strong evidence in the notes of the very patient: the
given name alone, the surname before a title, the end of the telephone number beside a word for it, the last seven
digits of the resident registration number, the flat's 동 and 호.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from deid.detect.known.birth import birth_needles, birth_of_rrn
from deid.detect.known.kinds import KINDS
from deid.detect.known.rules import (
    Rule,
    anywhere,
    as_address,
    as_given_name,
    as_name,
    as_number,
    as_part_of_number,
    as_surname,
    as_word,
    beside_phone_word,
)
from deid.detect.known.squeezed import core_of
from deid.detect.syllables import split_name

_RRN_DIGITS = 13
_SHORTEST_NUMBER = 4
_SHORTEST_WORD = 2
_MOBILE_DIGITS = 10
_END_OF_MOBILE, _END_OF_LANDLINE, _LAST = 8, 7, 4
_LONGEST_HANGUL_NAME = 5
_SHORTEST_LATIN = 3
_SHORTEST_PLACE = 3
_SHORTEST_LOCAL = 5
_HANGUL = re.compile(r"[가-힣]+")
_ROAD = re.compile(r"[가-힣A-Za-z0-9·]{1,20}(?:로|길)[ ]{0,2}\d{1,5}(?:-\d{1,4})?(?:번길[ ]{0,2}\d{1,4}(?:-\d{1,4})?)?")
_LOT = re.compile(r"[가-힣0-9]{1,12}(?:동|리|가)[ ]{0,2}\d{1,5}(?:-\d{1,4})?(?![0-9]|[ ]{0,2}[동호])")
_FLAT = re.compile(r"(\d{1,5})[ ]{0,2}동[ ]{0,2}(\d{1,5})[ ]{0,2}호")
_PLACE = re.compile(
    r"[가-힣][가-힣0-9·]{0,12}(?:읍|면|동|리|로|길)(?=[ ,)]|\d|$)|[가-힣A-Za-z]{2,15}(?:아파트|빌라|맨션|오피스텔)"
)


@dataclass(frozen=True, slots=True)
class Needle:
    """Letters and digits to look for, the type of what is found, and the rule that judges its surroundings."""

    core: str
    type: str
    rule: Rule
    score: float = 0.9


@lru_cache(maxsize=4096)
def needles(kind: str, value: str) -> tuple[Needle, ...]:
    """Forms of a value of `kind` (a key of `KINDS`), whole first; none if it is too short to mean anyone."""
    core = core_of(value)
    if len(core) < _SHORTEST_WORD:
        return ()
    forms = [Needle(form, KINDS[kind], rule, score) for form, rule, score in _BY_KIND.get(kind, _other)(value, core)]
    birth = birth_of_rrn(core) if kind == "rrn" else value if kind == "birth_date" else ""
    forms += [Needle(form, "DATE_BIRTH", rule, score) for form, rule, score in birth_needles(birth)]
    return tuple(form for form in forms if form.core)


Form = tuple[str, Rule, float]
Forms = Callable[[str, str], Iterator[Form]]


def _name(value: str, core: str) -> Iterator[Form]:
    if not _HANGUL.fullmatch(core):
        yield core, as_word, 0.9
        yield from ((core_of(part), as_word, 0.6) for part in value.split() if len(core_of(part)) >= _SHORTEST_LATIN)
        return
    yield core, as_name, 0.9
    parts = split_name(core) if len(core) <= _LONGEST_HANGUL_NAME else None
    if parts is None:
        yield from ((part, as_word, 0.6) for part in map(core_of, value.split()) if len(part) >= _SHORTEST_WORD)
        return
    surname, given = parts
    if len(given) >= _SHORTEST_WORD:
        yield given, as_given_name, 0.7
    yield surname, as_surname, 0.6


def _rrn(value: str, core: str) -> Iterator[Form]:
    del value
    yield core, as_number, 0.95
    if len(core) == _RRN_DIGITS and core.isdigit():
        yield core[-7:], as_number, 0.8
        yield core[:7], as_part_of_number, 0.8


def _phone(value: str, core: str) -> Iterator[Form]:
    del value
    digits = "0" + core[2:] if core.startswith("82") else core
    if not digits.isdigit() or len(digits) < _END_OF_LANDLINE:
        yield core, as_number, 0.8
        return
    bare = digits.lstrip("0")
    yield from ((form, as_number, 0.9) for form in (f"82{digits}", f"82{bare}", digits, bare))
    end = digits[-_END_OF_MOBILE:] if len(digits) >= _MOBILE_DIGITS and digits[1] != "2" else digits[-_END_OF_LANDLINE:]
    yield end, as_number, 0.8
    yield digits[-_LAST:], beside_phone_word, 0.7


def _address(value: str, core: str) -> Iterator[Form]:
    yield core, anywhere, 0.9
    for pattern in (_ROAD, _LOT):
        yield from ((core_of(match.group()), as_address, 0.85) for match in pattern.finditer(value))
    for match in _FLAT.finditer(value):
        yield f"{match[1]}동{match[2]}호", as_address, 0.8
        yield f"{match[1]}{match[2]}", as_part_of_number, 0.6
        yield f"{match[2]}호", as_address, 0.5
    yield from ((core_of(match.group()), as_word, 0.6) for match in _PLACE.finditer(value) if len(match.group()) > 2)  # noqa: PLR2004


def _record(value: str, core: str) -> Iterator[Form]:
    del value
    if len(core) < _SHORTEST_NUMBER:
        return
    yield core, as_number, 0.9
    bare = core.lstrip("0")
    if bare != core and len(bare) > _SHORTEST_NUMBER:
        yield bare, as_number, 0.7


def _email(value: str, core: str) -> Iterator[Form]:
    yield core, anywhere, 0.95
    local = core_of(value.split("@", maxsplit=1)[0])
    if len(local) >= _SHORTEST_LOCAL:
        yield local, as_word, 0.6


def _birth(value: str, core: str) -> Iterator[Form]:
    del value, core
    yield from ()


def _place(value: str, core: str) -> Iterator[Form]:
    del value
    # 에서, 측, 입원 and much else may be glued behind the name of a place; a short one needs to be a word of its own.
    yield core, as_address if len(core) >= _SHORTEST_PLACE else as_word, 0.85


def _other(value: str, core: str) -> Iterator[Form]:
    del value
    if len(core) >= _SHORTEST_NUMBER:
        yield core, as_number if core.isdigit() else as_word, 0.8


_BY_KIND: dict[str, Forms] = {
    "name": _name,
    "relative": _name,
    "rrn": _rrn,
    "phone": _phone,
    "address": _address,
    "record": _record,
    "email": _email,
    "birth_date": _birth,
    "organisation": _place,
    "department": _place,
    "ward": _place,
}
