"""Many rows on one screen in one clock hour: more than the plan, or far more than this person's usual (R82)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from enclave.actions import Action
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

HISTORY, YOUNG = timedelta(days=30), timedelta(days=14)
# Five times of next to nothing is nothing.
FEWEST_ROWS = 100


def find(window: Window) -> Iterator[Hit]:
    """Yield each hour above `rows_per_hour`, or above `median_times` the median hour of the 30 days before."""
    hours: dict[tuple[str, str], dict[datetime, list[Line]]] = {}
    for line in window.all({Action.DISPLAY_SHOWN.value}):
        if line.is_person and line.is_done:
            hour = line.at.replace(minute=0, second=0, microsecond=0)
            hours.setdefault((line.actor, line.project), {}).setdefault(hour, []).append(line)
    for (_, project), by_hour in hours.items():
        limits = window.limits_of(project)
        starts = list(by_hour)
        sums = [sum(line.number("rows") for line in lines) for lines in by_hour.values()]
        for at, hour in enumerate(starts):
            lines = by_hour[hour]
            if lines[-1].index < window.start:
                continue
            usual = _usual(starts, sums, hour)
            if sums[at] > limits.rows_per_hour:
                yield hit(Rule.BULK_READ, "rows", lines, rows=sums[at], limit=limits.rows_per_hour)
            elif usual and sums[at] >= FEWEST_ROWS and sums[at] > usual * limits.median_times:
                yield hit(Rule.BULK_READ, "unusual", lines, rows=sums[at], usual=usual)


def _usual(starts: list[datetime], sums: list[int], hour: datetime) -> int:
    """Return the median hour of the 30 days before, 0 in the first 14 days. `starts` are in order."""
    if not starts or hour - starts[0] < YOUNG:
        return 0
    low, high = bisect_left(starts, hour - HISTORY), bisect_right(starts, hour - timedelta(hours=1))
    return int(median(sums[low:high])) if high > low else 0
