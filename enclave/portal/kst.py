"""Moments as people read them: `YYYY-MM-DD HH:MM` in Korean time (R119).

Korea has had no daylight saving since 1988, so a fixed offset of nine hours is right for every date shown here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")


def moment(value: datetime) -> str:
    """Return a moment as `2026-11-24 18:30`; a naive one is UTC, as the database stores it."""
    return _aware(value).astimezone(KST).strftime("%Y-%m-%d %H:%M")


def second(value: datetime) -> str:
    """Return a moment as `2026-11-24 18:30:07`: what an access record has to state (R75)."""
    return _aware(value).astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")


def day(value: date | datetime) -> str:
    """Return a day as `2026-11-24`; of a moment, its day in Korea."""
    if isinstance(value, datetime):
        value = _aware(value).astimezone(KST).date()
    return value.isoformat()


def start_of(value: date) -> datetime:
    """Return the moment at which a Korean day begins, in UTC."""
    return datetime(value.year, value.month, value.day, tzinfo=KST).astimezone(UTC)


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
