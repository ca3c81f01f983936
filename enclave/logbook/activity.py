"""Counts by hour laid out for plots: bars of days, weeks or months by 수행업무, and a week of hours (KST). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from audit.hours import Done
from enclave.actions import ABOUT, Action, Severity, Task
from enclave.clock import KST

DAYS, WEEKS = 93, 730
REFUSED = ("denied", "failed")


@dataclass
class Bar:
    """What was done between two Korean days (`last` included): all of it, what was refused, what is an alert."""

    first: date
    last: date
    entries: int = 0
    refused: int = 0
    alerts: int = 0

    def add(self, done: Done, *, alert: bool) -> None:
        """Count in."""
        self.entries += done.entries
        self.refused += done.entries if done.outcome in REFUSED else 0
        self.alerts += done.entries if alert else 0


@dataclass
class Layout:
    """`total` and each of `lanes` have the same bars; `week[weekday][hour]` counts entries, Monday first."""

    total: list[Bar]
    lanes: dict[Task | None, list[Bar]] = field(default_factory=dict)
    week: list[list[int]] = field(default_factory=lambda: [[0] * 24 for _ in range(7)])

    @property
    def entries(self) -> int:
        """How many entries there are in all."""
        return sum(bar.entries for bar in self.total)

    @property
    def refused(self) -> int:
        """How many of them were refused or failed."""
        return sum(bar.refused for bar in self.total)


def lay_out(done: Sequence[Done], first: date, last: date) -> Layout:
    """Return the layout of what was done from one Korean day to another; what lies outside is left out.

    A lane that nothing was done in is not there; the lane None is for actions this version does not know.
    """
    layout = Layout(_bars(first, last))
    starts = {day: at for at, bar in enumerate(layout.total) for day in _days(bar.first, bar.last)}
    for each in done:
        local = each.hour.astimezone(KST)
        at = starts.get(local.date())
        if at is None:
            continue
        about = ABOUT[Action(each.action)] if each.action in set(Action) else None
        alert = about is not None and about.severity is Severity.ALERT
        lane = layout.lanes.setdefault(about.task if about else None, _bars(first, last))
        lane[at].add(each, alert=alert)
        layout.total[at].add(each, alert=alert)
        layout.week[local.weekday()][local.hour] += each.entries
    order = [*Task, None]
    layout.lanes = {task: layout.lanes[task] for task in order if task in layout.lanes}
    return layout


def _bars(first: date, last: date) -> list[Bar]:
    length = (last - first).days + 1
    made, day = [], first
    while day <= last:
        end = min(_end(day, length), last)
        made.append(Bar(day, end))
        day = end + timedelta(days=1)
    return made


def _end(day: date, length: int) -> date:
    """Return the last day of the bar that begins with a day: itself, its Sunday, or the end of its month."""
    if length <= DAYS:
        return day
    if length <= WEEKS:
        return day + timedelta(days=6 - day.weekday())
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - timedelta(days=1)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
