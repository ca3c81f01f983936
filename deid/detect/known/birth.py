"""Forms of a known date of birth, as letters and digits: with and without century, leading zeros, 년 월 일."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from deid.detect.known.rules import Rule, as_date, as_number

_WRITTEN = re.compile(r"(\d{4})\D{0,3}(\d{1,2})\D{0,3}(\d{1,2})\D{0,3}")
_RRN_DIGITS = 13
# Seventh digit of a resident registration number: the century (주민등록법 시행규칙 제2조).
_CENTURY = {"9": 18, "0": 18, "1": 19, "2": 19, "5": 19, "6": 19, "3": 20, "4": 20, "7": 20, "8": 20}


def birth_of_rrn(digits: str) -> str:
    """Date of birth of the digits of a resident registration number, ISO 8601; empty when they hold none."""
    if len(digits) != _RRN_DIGITS or not digits.isdigit():
        return ""
    century = _CENTURY[digits[6]]
    found = _date(f"{century}{digits[:2]}", digits[2:4], digits[4:6])
    return found.isoformat() if found else ""


def birth_needles(value: str) -> Iterator[tuple[str, Rule, float]]:
    """Give (letters and digits, rule, score) of each usual form of a date; nothing for what is no date."""
    match = _WRITTEN.match(value.strip())
    birth = _date(*match.groups()) if match else None
    if birth is None:
        return
    years, months, days = (str(birth.year), f"{birth:%y}"), _both(birth.month), _both(birth.day)
    yield f"{birth:%Y%m%d}", as_number, 0.85
    yield f"{birth:%y%m%d}", as_number, 0.7
    for year in years:
        for month, day in ((months[0], days[0]), (months[-1], days[-1])):
            yield f"{year}{month}{day}", as_date, 0.7
            yield f"{year}년{month}월{day}일", as_number, 0.85
    yield f"{birth.month}월{birth.day}일생", as_number, 0.7


def _both(number: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys((f"{number:02d}", str(number))))


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
