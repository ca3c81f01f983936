"""Times as devices and Korean programs write them, as microseconds of one clock.

A time without a zone is Korean time (KST, UTC+9 all year). A time of day alone is counted from its midnight.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

KST = dt.timezone(dt.timedelta(hours=9))
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND
DATE = r"(?P<year>(?:19|20)\d\d)(?:[-./]\s?|년\s?)(?P<month>\d{1,2})(?:[-./]\s?|월\s?)(?P<day>\d{1,2})(?:일|\.)?"
OTHER_DATE = r"(?P<first>\d{1,2})[-./](?P<second>\d{1,2})[-./](?P<last>(?:19|20)\d\d)"
CLOCK = (
    r"(?:(?P<half>오전|오후|AM|PM)\s?)?(?P<hour>\d{1,2})(?::|시\s?)(?P<minute>\d{2})(?:분\s?)?"
    r"(?::?(?P<sec>\d{2})(?:[.,](?P<part>\d{1,9}))?초?)?(?:\s?(?P<late>AM|PM))?"
)
ZONE = r"\s?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
FULL = re.compile(rf"(?:{DATE}|{OTHER_DATE})(?:(?:T|\s+|\s?\(.\)\s?){CLOCK}{ZONE})?", re.IGNORECASE)
PACKED = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:[T_ ]?(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<sec>\d\d)(?:\.?(?P<part>\d{1,9}))?)?)?"
)
ALONE = re.compile(CLOCK, re.IGNORECASE)
COUNTED = re.compile(r"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.(\d{1,9}))?", re.ASCII)
UNITS = {9: SECOND, 10: SECOND, 12: 1000, 13: 1000, 15: 1, 16: 1}  # digits of an epoch → microseconds in its unit
NOON = 12
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)


@dataclass(frozen=True)
class Moment:
    """Microseconds since 1970 (UTC), or since midnight if `dated` is not told; `decimals` of a second as written."""

    micros: int
    dated: bool
    decimals: int


def moment(text: str) -> Moment | None:
    """Read a time; None if it is none (a number of seconds since the start is none)."""
    text = text.strip()
    counted = COUNTED.fullmatch(text)
    if counted:
        return _counted(counted[1], counted[2] or "") or _written(PACKED.fullmatch(text))
    alone = ALONE.fullmatch(text)
    if alone:
        return Moment(_micros(alone), dated=False, decimals=len(alone["part"] or "")) if _is_clock(alone) else None
    return _written(FULL.fullmatch(text) or PACKED.fullmatch(text))


def day_of(micros: int) -> dt.date:
    """Give the Korean day of a moment."""
    return (EPOCH + dt.timedelta(microseconds=micros)).astimezone(KST).date()


def _counted(whole: str, part: str) -> Moment | None:
    if len(whole) >= 18:  # noqa: PLR2004 - nanoseconds
        micros, decimals = int(whole) // 1000, 6
    else:
        unit = UNITS[len(whole)]
        micros = int(whole) * unit + int(part[:6].ljust(6, "0") or 0) * unit // SECOND
        decimals = {SECOND: len(part[:6]), 1000: 3 + len(part[:3]), 1: 6}[unit]
    try:
        plausible = EARLIEST <= day_of(micros) < LATEST
    except OverflowError:
        return None
    return Moment(micros, dated=True, decimals=decimals) if plausible else None


def _written(found: re.Match[str] | None) -> Moment | None:
    if found is None:
        return None
    parts = found.groupdict()
    year, month, day = parts["year"] or parts["last"], parts["month"], parts["day"]
    if month is None:
        # 03/15/2024 is American, 15/03/2024 is not; where both would do, the month is first.
        first, second = parts["first"], parts["second"]
        month, day = (first, second) if int(first) <= NOON else (second, first)
    try:
        start = dt.datetime(int(year), int(month), int(day), tzinfo=_zone(parts.get("zone") or ""))
    except ValueError:
        return None
    if parts["hour"] is None:
        return Moment(_since(start), dated=True, decimals=0)
    return (
        Moment(_since(start) + _micros(found), dated=True, decimals=len(parts["part"] or ""))
        if _is_clock(found)
        else None
    )


def _zone(text: str) -> dt.tzinfo:
    if not text:
        return KST
    if text.upper() in {"Z", "UTC"}:
        return dt.UTC
    digits = text.replace(":", "")
    return dt.timezone((1 if digits[0] == "+" else -1) * dt.timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5])))


def _since(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def _is_clock(found: re.Match[str]) -> bool:
    return int(found["hour"]) <= 24 and int(found["minute"]) < 60 and int(found["sec"] or 0) <= 60  # noqa: PLR2004


def _micros(found: re.Match[str]) -> int:
    parts = found.groupdict()
    hour = int(parts["hour"])
    half = (parts.get("half") or parts.get("late") or "").upper()
    if half:
        hour = hour % NOON + (NOON if half in {"오후", "PM"} else 0)
    seconds = (hour * 60 + int(parts["minute"])) * 60 + int(parts["sec"] or 0)
    return seconds * SECOND + int((parts["part"] or "")[:6].ljust(6, "0") or 0)
