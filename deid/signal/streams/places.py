"""Coordinates under names that do not say so: a latitude and a longitude of Korea beside each other, exact to metres.

`x` and `y` are a force plate's axes in one file and a position on the map in the next (R108: more than three decimals
of a degree are never let out).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

EXACT = re.compile(r"\d{2,3}\.\d{4,}", re.ASCII)
LATITUDES, LONGITUDES = (
    (33.0, 38.9),
    (124.5, 132.0),
)  # degrees: from Mara-do to the border, from Baengnyeong-do to Dok-do
MOSTLY = 0.9


def _within(values: Iterable[str], bounds: tuple[float, float]) -> bool:
    told = [value for value in values if value.strip()]
    low, high = bounds
    inside = sum(bool(EXACT.fullmatch(value)) and low <= float(value) <= high for value in told)
    return bool(told) and inside >= MOSTLY * len(told)


def places(columns: Mapping[int, Sequence[str]]) -> set[int]:
    """Find the columns that hold latitudes and longitudes, if both are there."""
    found = [{place for place, values in columns.items() if _within(values, each)} for each in (LATITUDES, LONGITUDES)]
    return found[0] | found[1] if all(found) else set()


def is_coordinate(number: str) -> bool:
    """Whether a number could be a latitude or a longitude."""
    return _within((number,), LATITUDES) or _within((number,), LONGITUDES)


def is_place(numbers: Sequence[str]) -> bool:
    """Whether among a few numbers are a latitude and a longitude."""
    return all(any(_within((number,), each) for number in numbers) for each in (LATITUDES, LONGITUDES))
