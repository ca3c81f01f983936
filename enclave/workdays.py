"""The airlock's clock: it runs on Korean working days only (korea.md R67). Pure.

Holidays with their substitutes (관공서의 공휴일에 관한 규정) come from the `holidays` library, which computes the lunar
ones; Constitution Day and elections included. A day that an installation adds (임시공휴일) comes with the library's
next version.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache

import holidays

from enclave.clock import KST

SATURDAY = 5
DAY = timedelta(days=1)


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("KR", years=year))


def is_working_day(day: date) -> bool:
    """Return whether offices work on this day in Korea: neither weekend nor public holiday."""
    return day.weekday() < SATURDAY and day not in _holidays(day.year)


def after(moment: datetime, days: float) -> datetime:
    """Return when `days` working days of 24 hours have passed since `moment` (aware); other days do not count.

    Friday 15:00 and one day is Monday 15:00; Sunday and one day is the end of Monday.
    """
    left, at = timedelta(days=days), moment.astimezone(KST)
    while True:
        midnight = datetime.combine(at.date() + DAY, datetime.min.time(), KST)
        if is_working_day(at.date()):
            if at + left <= midnight:
                return (at + left).astimezone(moment.tzinfo)
            left -= midnight - at
        at = midnight


def day_of(due: datetime) -> date:
    """Return the Korean day by whose end a time from `after` is over: midnight belongs to the day before."""
    return (due.astimezone(KST) - timedelta(microseconds=1)).date()


def between(start: datetime, end: datetime) -> float:
    """Return how many working days of 24 hours lie between two aware moments; 0 if `end` is not after `start`."""
    at, last, total = start.astimezone(KST), end.astimezone(KST), timedelta(0)
    while at < last:
        midnight = datetime.combine(at.date() + DAY, datetime.min.time(), KST)
        if is_working_day(at.date()):
            total += min(midnight, last) - at
        at = midnight
    return total / DAY
