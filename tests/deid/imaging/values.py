"""Made-up people for the planted set: names in Hangul and Latin, numbers, addresses, and values that are planted."""

from __future__ import annotations

import random
from dataclasses import dataclass

FAMILY = [("김", "KIM"), ("이", "YI"), ("박", "BAK"), ("최", "CHOE"), ("정", "JEONG"), ("강", "GANG"), ("윤", "YUN")]
GIVEN = [
    ("도현", "DOHYEON"),
    ("서아", "SEOA"),
    ("지후", "JIHU"),
    ("하윤", "HAYUN"),
    ("민재", "MINJAE"),
    ("수빈", "SUBIN"),
]
PLACES = ["광주광역시 동구 필문대로", "전남 화순군 서양로", "서울 종로구 대학로"]
HOSPITALS = [("빛고을병원", "BITGOEUL HOSPITAL"), ("무등의료원", "MUDEUNG CLINIC")]


@dataclass(frozen=True)
class Person:
    """One patient and those around them."""

    hangul: str
    latin: str
    number: str
    birth: str
    phone: str
    address: str
    hospital: tuple[str, str]
    doctor: str
    accession: str


def person(draw: random.Random) -> Person:
    """Draw a person."""

    def name() -> tuple[str, str]:
        (family, romanised), (given, spelled) = draw.choice(FAMILY), draw.choice(GIVEN)
        return family + given, f"{romanised}^{spelled}"

    hangul, latin = name()
    day = f"{draw.randint(1930, 2005)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    phone = f"010-{draw.randint(2000, 9999)}-{draw.randint(1000, 9999)}"
    address = f"{draw.choice(PLACES)} {draw.randint(100, 999)}"
    return Person(
        hangul, latin, f"{draw.randint(10**7, 10**8 - 1)}", day, phone, address, draw.choice(HOSPITALS), name()[1],
        f"A{draw.randint(10**8, 10**9)}",
    )  # fmt: skip


def code(draw: random.Random, start: str = "Z") -> str:
    """Draw a value that is nowhere else: what stands in a place has to be known again."""
    return start + "".join(draw.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(5)) + str(draw.randint(100, 999))


def uid(draw: random.Random) -> str:
    """Draw an instance UID of a device."""
    return f"1.2.410.200{draw.randint(10, 99)}.{draw.randint(10**6, 10**7)}.{draw.randint(10**8, 10**9)}"
