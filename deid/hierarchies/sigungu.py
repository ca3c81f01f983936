"""From the text of an address to its district (시군구), province (시도) and area: 일반화 of where somebody lives.

Only the head of the address is read; the rest (road, number, apartment) is in no label of any level.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from deid.hierarchies.hierarchy import ALL, Hierarchy
from deid.hierarchies.regions import AREAS, FORMER, PROVINCES, tree

BLANKS = re.compile(r"[\s,()\[\]\d-]*")
DISTRICT, CITY, PROVINCE, AREA = 0, 1, 2, 3


@dataclass(frozen=True)
class Place:
    """Province by its name of today, district (시군구), and the city's own district (일반구); "" where unknown."""

    province: str
    city: str
    district: str


@dataclass(frozen=True)
class Sigungu(Hierarchy):
    """Levels: 0 with a city's own district (경기도 수원시 영통구), 1 시군구, 2 시도, 3 area (수도권 …), 4 all.

    A leading postcode, missing blanks, former and short names are understood. An address that names no province is
    known only where its district's name is found in one province alone.
    """

    name: str = "sigungu"
    sizes: tuple[int, ...] = (255, 229, 17, 6, 1)

    def label(self, value: str, level: int) -> str | None:
        """See `Hierarchy.label`; an address with a province alone has no label below level 2."""
        place = find_place(value)
        if place is None or (level < PROVINCE and not place.city and tree()[place.province]):
            return None
        if level == self.levels:
            return ALL
        if level >= PROVINCE:
            return place.province if level == PROVINCE else AREAS[place.province]
        parts = (place.province, place.city, place.district if level == DISTRICT else "")
        return " ".join(part for part in parts if part)


def find_place(address: str) -> Place | None:
    """Find where an address begins: the most exact reading of its head, None if it names no place of Korea."""
    text = BLANKS.sub("", unicodedata.normalize("NFC", address), count=1)
    readings = list(_readings(text))
    return max(readings, key=lambda place: (bool(place.city), bool(place.district)), default=None)


def _readings(text: str) -> Iterator[Place]:
    for alias, province in _aliases():
        if text.startswith(alias):
            rest = text[len(alias) :].lstrip()
            yield _within(province, rest) or Place(province, "", "")
    for city, provinces in _cities().items():
        if len(provinces) == 1 and text.startswith(city):
            yield _within(provinces[0], text) or Place(provinces[0], city, "")


def _within(province: str, rest: str) -> Place | None:
    for (former, name), (now, city) in FORMER.items():
        if former == province and rest.startswith(name):
            return Place(now, city, "")
    for city, districts in tree()[province].items():
        if rest.startswith(city):
            tail = rest[len(city) :].lstrip()
            return Place(province, city, next((name for name in districts if tail.startswith(name)), ""))
    return None


@cache
def _aliases() -> list[tuple[str, str]]:
    pairs = [(alias, province) for province, aliases in PROVINCES.items() for alias in aliases]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


@cache
def _cities() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for province, cities in tree().items():
        for city in cities:
            found.setdefault(city, []).append(province)
    return found
