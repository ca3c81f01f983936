"""The only clocks of the enclave. Commands and policies take `now` as an argument; doors call this.

`now` can be set, `steady` cannot: how long something has lasted is measured by the second.

Periods are days of the Korean calendar (a project ends at midnight in Seoul, whatever the machine's zone).
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

# Korea has no summer time; a fixed offset needs no zone database on the machine.
KST = timezone(timedelta(hours=9), "KST")


def now() -> datetime:
    """Return the present moment in UTC, with its time zone."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def steady() -> float:
    """Return the seconds of the clock that nobody sets, counted from some moment or other."""
    return time.monotonic()


def korean_date(moment: datetime) -> date:
    """Return the calendar day in Korea at this moment."""
    return moment.astimezone(KST).date()
