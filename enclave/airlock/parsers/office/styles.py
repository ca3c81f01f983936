"""Number formats of a workbook: which cells are dates or percentages, and which show nothing of what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import from_excel

from enclave.airlock.parsers.office.flow import local
from enclave.airlock.parsers.office.package import read_xml

# ";;;" shows nothing; so does a format of nothing but quoted words or colours without a digit to show.
SHOWS = re.compile(r"[0#?@]|General|[ymdhs]", re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass(frozen=True)
class Styles:
    """The number format of each cell style, by its number."""

    formats: tuple[str, ...]

    def of(self, number: str | None) -> str:
        """Return a style's number format; General for none."""
        index = int(number) if number is not None and number.isdecimal() else 0
        return self.formats[index] if index < len(self.formats) else "General"


def read_styles(content: bytes | None) -> Styles:
    """Read ``xl/styles.xml``. Raises `ParseRefused`."""
    if content is None:
        return Styles(())
    root = read_xml(content)
    codes = {e.get("numFmtId", ""): e.get("formatCode", "") for e in root.iter() if local(e) == "numFmt"}
    cells = next((e for e in root.iter() if local(e) == "cellXfs"), None)
    found = [] if cells is None else [one.get("numFmtId", "0") for one in cells]
    return Styles(tuple(codes.get(each) or BUILTIN_FORMATS.get(_number(each), "General") for each in found))


def shows_nothing(code: str) -> bool:
    """Whether a number format leaves every value out of sight."""
    return SHOWS.search(QUOTED.sub("", code)) is None and bool(code)


def written(value: str, code: str) -> str:
    """Write a number as its format means it (a date, a percentage), with nothing rounded away."""
    try:
        number = float(value)
    except ValueError:
        return value
    bare = QUOTED.sub("", code)
    if is_date_format(code):
        return _date(number) or value
    if "%" in bare:
        return f"{number * 100:.12g}%"
    return str(int(number)) if number.is_integer() and abs(number) < 10**15 else value


def _date(number: float) -> str:
    convert: Callable[[float], datetime | date | time | timedelta | None] = from_excel
    try:
        found = convert(number)
    except (ValueError, OverflowError):
        return ""
    return found.isoformat(sep=" ").removesuffix(" 00:00:00") if isinstance(found, datetime) else str(found or "")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
