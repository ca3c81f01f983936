"""Short free-text memos as hospital staff type them, some with identifiers in them.

A memo is one to three sentences drawn from three lists (about a person, about the illness, about what comes next), so
several thousand distinct templates arise before any slot is filled. Identifiers stand in many notations, because a
memo field has none. Everything is drawn from the generator handed in; all text fits CP949.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from demo.identities import Identity, full_name, telephone


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SLOT = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent / "texts"
_KIN = ("아들", "딸", "배우자", "며느리", "남편", "아내", "모친", "부친", "손자", "동생", "사위", "언니")
_DEPARTMENTS = _words(
    "소화기내과 순환기내과 내분비내과 신장내과 신경과 가정의학과 정형외과 외과 호흡기내과 정신건강의학과 "
    "응급의학과 재활의학과"
)
_HOSPITALS = _words(
    "무등산내과의원 상무연세의원 첨단제일병원 목포한마음병원 순천새봄병원 수완가정의학과의원 영산포의원 "
    "나주빛병원 봉선사랑의원 담양군보건소"
)
_ROLES = ("간호사", "선생님", "교수", "과장", "코디", "수간호사", "실장")
# Types of the identifiers that slots put into the text, by slot; other slots are harmless.
SLOT_TYPES = {
    "name": "NAME",
    "guardian": "NAME",
    "staff": "NAME",
    "surname": "NAME",
    "rrn": "RRN",
    "phone": "PHONE",
    "gphone": "PHONE",
    "tel": "PHONE",
    "addr": "ADDRESS",
    "no": "MRN",
    "birth": "DATE_BIRTH",
    "date": "DATE",
    "md": "DATE",
    "hospital": "ORG",
}


@dataclass(frozen=True, slots=True)
class Memo:
    """A memo, the template it came from, and where its identifiers are: (start, end, type)."""

    text: str
    template: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """What a memo is written about: one person, their hospital number, and a day."""

    person: Identity
    number: str
    day: date


def memo(random: Random, writer: Writer) -> Memo:
    """Draw one memo about `writer.person`; four in ten say nothing about anyone."""
    template = _template(random)
    text, spans, position = "", [], 0
    values: dict[str, str] = {}
    for slot in _SLOT.finditer(template):
        text += template[position : slot.start()]
        value = values.setdefault(slot[1], _value(random, slot[1], writer))
        if slot[1] in SLOT_TYPES:
            spans.append((len(text), len(text) + len(value), SLOT_TYPES[slot[1]]))
        text += value
        position = slot.end()
    return Memo(text + template[position:], template, tuple(spans))


def sentences(kind: str) -> tuple[str, ...]:
    """Return the sentence templates of one kind: `person`, `illness` or `next`."""
    lines = (_FOLDER / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


PERSON, ILLNESS, NEXT = (sentences(kind) for kind in ("person", "illness", "next"))


def _template(random: Random) -> str:
    roll = random.random()
    if roll < 0.25:
        parts = [random.choice(PERSON)]
    elif roll < 0.45:
        parts = [random.choice(PERSON), random.choice(ILLNESS)]
    elif roll < 0.60:
        parts = [random.choice(ILLNESS), random.choice(PERSON), random.choice(NEXT)]
    elif roll < 0.85:
        parts = [random.choice(ILLNESS), random.choice(NEXT)]
    else:
        parts = [random.choice(ILLNESS)]
    return random.choice((" ", " / ", ". ", " - ")).join(parts)


def _value(random: Random, slot: str, writer: Writer) -> str:
    person = writer.person
    makers = {
        "name": lambda: person.name,
        "rrn": lambda: _rrn(random, person.rrn),
        "phone": lambda: _phone(random, person.phone),
        "addr": lambda: person.address,
        "no": lambda: writer.number,
        "birth": lambda: _date(random, person.birth_date),
        "guardian": lambda: full_name(random, birth_year=random.randrange(1945, 2003), sex=random.choice("MF")),
        "gphone": lambda: _phone(random, telephone(random)),
        "tel": lambda: f"{random.choice(('062', '061'))}-{random.randrange(100, 200)}-{random.randrange(10_000):04d}",
        "kin": lambda: random.choice(_KIN),
        "staff": lambda: full_name(random, birth_year=random.randrange(1965, 1999), sex=random.choice("MF")),
        "surname": lambda: full_name(random, birth_year=1980, sex="F")[:1],
        "role": lambda: random.choice(_ROLES),
        "dept": lambda: random.choice(_DEPARTMENTS),
        "hospital": lambda: random.choice(_HOSPITALS),
        "date": lambda: _date(random, writer.day + timedelta(random.randrange(-60, 60))),
        "md": lambda: _month_day(random, writer.day + timedelta(random.randrange(1, 90))),
        "n": lambda: str(random.randrange(2, 10)),
        "bp": lambda: f"{random.randrange(100, 180)}/{random.randrange(60, 105)}",
        "lab": lambda: str(random.randrange(20, 320)),
        "dec": lambda: f"{random.randrange(4, 12)}.{random.randrange(10)}",
        "age": lambda: str(random.randrange(20, 89)),
    }
    return makers[slot]()


def _rrn(random: Random, number: str) -> str:
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    roll = random.random()
    if roll < 0.7:
        return number
    if roll < 0.8:
        return number.replace("-", "")
    if roll < 0.9:
        return number.replace("-", " - ")
    return number.translate(wide) if roll < 0.95 else number[:8] + "******"


def _phone(random: Random, number: str) -> str:
    first, second, third = number.split("-")
    return random.choice(
        (
            number,
            number,
            number,
            f"{first}{second}{third}",
            f"{first}.{second}.{third}",
            f"{first} {second} {third}",
            f"({first}){second}-{third}",
        )
    )


def _date(random: Random, day: date) -> str:
    return random.choice(
        (
            f"{day:%Y-%m-%d}",
            f"{day:%Y.%m.%d}",
            f"{day:%y/%m/%d}",
            f"{day:%Y%m%d}",
            f"{day.year}년 {day.month}월 {day.day}일",
            f"{day.year}. {day.month}. {day.day}.",
        )
    )


def _month_day(random: Random, day: date) -> str:
    return random.choice((f"{day.month}/{day.day}", f"{day.month}월 {day.day}일"))
