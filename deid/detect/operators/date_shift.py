"""`korean_date_shift`: a date moves by the patient's own number of days and is written as it was.

The number of days is the one of the tables' `date_shift`, so that intervals between a note and a laboratory value stay.
Forms: 2024-03-05, 2024.3.5, 24/03/05, '24.3.5, 20240305, 240305, 2024년 3월 5일, 3월 5일, 3/5, 2024-03, 2024년 3월,
3/5/2024, 5 Mar 2024, Mar 5, 2024; a day of the week behind the date follows it. A date without year is reckoned in the
year of the text (`year`), a month without day from its fifteenth. What is not wholly understood (a range with a bare
day, a date in words) becomes <날짜>: half a shifted date would give the shift away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from presidio_anonymizer.entities import InvalidParamError

from deid.detect.normalise import normalise
from deid.detect.operators.keyed import KoreanOperator
from deid.detect.operators.placeholder import placeholder

# A year without 29 February: 3/1 minus one day is 2/28 in three years of four.
_USUAL_YEAR = 2023
_PIVOT = 50
_MID_MONTH = 15
_LONG = 4
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = "월화수목금토일"
_NAMED = r"(?P<n>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\.?"
_S = r"[ ]{0,2}[-./][ ]{0,2}"
_FORMS = "|".join((
    rf"(?P<a>(?P<ay>\d{{4}}|'?\d\d)(?P<a1>{_S})(?P<am>\d{{1,2}})(?P<a2>{_S})(?P<ad>\d{{1,2}})(?!\d))",
    r"(?P<b>(?P<bm>\d{1,2})(?P<b1>/)(?P<bd>\d{1,2})(?P<b2>/)(?P<by>\d{4}))",
    r"(?P<c>(?P<cy>\d{4}|'?\d\d)(?P<c1>[ ]?년[ ]{0,2})(?P<cm>\d{1,2})(?P<c2>[ ]?월[ ]{0,2})(?P<cd>\d{1,2})(?=[ ]?일))",
    r"(?P<d>(?P<dm>\d{1,2})(?P<d1>[ ]?월[ ]{0,2})(?P<dd>\d{1,2})(?=[ ]?일))",
    r"(?P<e>(?P<ey>\d{4}|'?\d\d)(?P<e1>[ ]?년[ ]{0,2})(?P<em>\d{1,2})(?=[ ]?월))",
    r"(?P<f>(?P<fy>\d{4})(?P<fm>\d\d)(?P<fd>\d\d)(?!\d))",
    r"(?P<g>(?P<gy>\d\d)(?P<gm>\d\d)(?P<gd>\d\d)(?!\d))",
    rf"(?P<h>(?P<hy>\d{{4}})(?P<h1>{_S})(?P<hm>\d{{1,2}})(?!\d))",
    r"(?P<i>(?P<im>\d{1,2})(?P<i1>[./-])(?P<id>\d{1,2})(?!\d))",
    rf"(?P<j>(?P<jd>\d{{1,2}})(?P<j1>[ -]){_NAMED}(?P<j2>,?[ -])(?P<jy>\d{{4}}))",
    rf"(?P<k>{_NAMED.replace('<n>', '<kn>')}(?P<k1>[ ])(?P<kd>\d{{1,2}})(?P<k2>,?[ ])(?P<ky>\d{{4}}))",
))  # fmt: skip
_DATE = re.compile(rf"(?<!\d)(?:{_FORMS})")
_TIME = re.compile(r"T?\d{1,2}:\d\d(?::\d\d)?(?:Z|\+\d\d:?\d\d)?|\d{1,2}시(?:[ ]?\d{1,2}분)?")
_WEEKDAY = re.compile(rf"(?P<l>[ ]?\([ ]?|[ ])(?P<w>[{_WEEKDAYS}])(?P<r>요일)?(?![가-힣])")
# What may stay beside a shifted date: the words of dates, and nothing that counts.
_REST = re.compile(r"[0-9A-Za-z]|[일이삼사오육칠팔구십][월일년]")


class KoreanDateShift(KoreanOperator):
    """Params: `days` (the patient's own shift); `year` (optional, the year of dates without one)."""

    NAME = "korean_date_shift"
    NEEDS_KEY = False

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Raise `InvalidParamError` unless `days` is a whole number other than 0."""
        days = (params or {}).get("days")
        if not isinstance(days, int) or not days:
            raise InvalidParamError(f"{self.NAME}: `days` must be a whole number other than 0")

    def stand_in(self, value: str, params: Mapping[str, Any]) -> str:
        """See `KoreanOperator.stand_in`."""
        shifted = shift(normalise(value).text, params["days"], params.get("year") or _USUAL_YEAR)
        return placeholder(str(params.get("entity_type", "DATE"))) if shifted is None else shifted


def shift(value: str, days: int, year: int) -> str | None:
    """`value` with each date moved by `days`, in its own form; `None` when anything in it is not understood."""
    parts, rest, last, position = [], [], None, 0
    for match in _DATE.finditer(value):
        moved = _moved(match, days, year)
        if moved is None:
            return None
        last, written = moved
        between = value[position : match.start()]
        rest.append(between)
        parts += [between, written]
        position = match.end()
    tail = value[position:]
    if last is None or _REST.search(_TIME.sub("", "\n".join([*rest, tail]))):
        return None
    day = last
    return "".join(parts) + _WEEKDAY.sub(lambda match: _weekday(match, day), tail)


def year_of(text: str) -> int:
    """Return the year of the first full date in a normalised text; a usual year when there is none."""
    found = re.search(r"(?<!\d)(19\d\d|20\d\d)[ ]{0,2}[-./년]", text)
    return int(found[1]) if found else _USUAL_YEAR


def _weekday(match: re.Match[str], day: date) -> str:
    return f"{match['l']}{_WEEKDAYS[day.weekday()]}{match['r'] or ''}"


def _moved(match: re.Match[str], days: int, year: int) -> tuple[date, str] | None:
    form = match.lastgroup or ""
    form = next(name for name in "abcdefghijk" if match.groupdict().get(name) is not None)
    part = {name[1:]: text for name, text in match.groupdict().items() if name[0] == form and name != form}
    if form in "jk":
        name = match["n"] if form == "j" else match["kn"]
        part["m"] = str(_MONTHS.index(name[:3].lower()) + 1)
    try:
        day = date(_year(part.get("y"), year), int(part["m"]), int(part.get("d") or _MID_MONTH)) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    return day, _WRITERS[form](part, day, match)


def _year(written: str | None, year: int) -> int:
    if written is None:
        return year
    number = int(written.lstrip("'"))
    if len(written.lstrip("'")) == _LONG:
        return number
    return number + (2000 if number < _PIVOT else 1900)


def _y(part: Mapping[str, str], day: date) -> str:
    written = part["y"]
    return f"{day:%Y}" if len(written) == _LONG and written.isdigit() else written[: len(written) - 2] + f"{day:%y}"


def _n(written: str, number: int) -> str:
    return f"{number:02d}" if len(written) == 2 else str(number)  # noqa: PLR2004 - two digits stay two digits


def _full(part: Mapping[str, str], day: date, _: re.Match[str]) -> str:
    return f"{_y(part, day)}{part.get('1', '')}{_n(part['m'], day.month)}{part.get('2', '')}{_n(part['d'], day.day)}"


def _american(part: Mapping[str, str], day: date, _: re.Match[str]) -> str:
    return f"{_n(part['m'], day.month)}/{_n(part['d'], day.day)}/{day:%Y}"


def _yearless(part: Mapping[str, str], day: date, _: re.Match[str]) -> str:
    return f"{_n(part['m'], day.month)}{part['1']}{_n(part['d'], day.day)}"


def _month(part: Mapping[str, str], day: date, _: re.Match[str]) -> str:
    return f"{_y(part, day)}{part['1']}{_n(part['m'], day.month)}"


def _named_behind(part: Mapping[str, str], day: date, match: re.Match[str]) -> str:
    return f"{_n(part['d'], day.day)}{part['1']}{_cased(match['n'], day)}{part['2']}{day:%Y}"


def _named_before(part: Mapping[str, str], day: date, match: re.Match[str]) -> str:
    return f"{_cased(match['kn'], day)}{part['1']}{_n(part['d'], day.day)}{part['2']}{day:%Y}"


def _cased(written: str, day: date) -> str:
    name = _MONTHS[day.month - 1]
    return name.upper() if written.isupper() else name if written.islower() else name.title()


Writer = Callable[[Mapping[str, str], date, "re.Match[str]"], str]
_WRITERS: dict[str, Writer] = {
    **dict.fromkeys("acfg", _full), "b": _american, **dict.fromkeys("di", _yearless), **dict.fromkeys("eh", _month),
    "j": _named_behind, "k": _named_before,
}  # fmt: skip
