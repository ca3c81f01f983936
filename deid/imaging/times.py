"""Dates of DICOM (DA, DT, TM: PS3.5 §6.2), moved by a patient's offset in days; times of day stay what they are.

What is no date is not moved but dropped: a text in a date's place would pass as it is.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

DAY = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
MOMENT = re.compile(r"(\d{4})(\d{2})?(\d{2})?(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?", re.ASCII)
HOUR, SIXTY = r"([01]\d|2[0-4])", r"([0-5]\d|60)"  # 24 and leap seconds are met
TIME = re.compile(rf"{HOUR}({SIXTY}({SIXTY}(\.\d{{1,6}})?)?)?|{HOUR}:{SIXTY}(:{SIXTY}(\.\d{{1,6}})?)?", re.ASCII)


def move_day(text: str, days: int) -> str:
    """Move a DA; "" for what is no date."""
    match = DAY.fullmatch(text.strip())
    moved = _moved([int(part) for part in match.groups() if part], days) if match else None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}" if moved else ""


def move_moment(text: str, days: int) -> str:
    """Move a DT of any precision; "" for what is none. A year or a month alone moves by its middle."""
    match = MOMENT.fullmatch(text.strip())
    if match is None:
        return ""
    year, month, day, rest, zone = match.groups()
    moved = _moved([int(year), int(month or 7), int(day or (15 if month else 1))], days)
    if moved is None:
        return ""
    parts = [f"{moved.year:04d}", f"{moved.month:02d}" if month else "", f"{moved.day:02d}" if day else ""]
    return "".join(parts) + rest + (zone or "")


def time_of_day(text: str) -> str:
    """Return a TM as it is; "" for what is none."""
    return text.strip() if TIME.fullmatch(text.strip()) else ""


def _moved(parts: list[int], days: int) -> date | None:
    try:
        return date(*parts) + timedelta(days=days)
    except (ValueError, OverflowError, TypeError):
        return None
