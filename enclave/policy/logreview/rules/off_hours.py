"""Data touched at night or on a holiday (R82). One finding for one person, project and night or day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from enclave import workdays
from enclave.actions import ABOUT, Action, Retention, Task
from enclave.clock import KST
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

# What reads data or takes something of it along.
TOUCHES = frozenset(
    action.value
    for action, about in ABOUT.items()
    if about.retention is Retention.DATA and about.task in {Task.VIEW, Task.DOWNLOAD, Task.EGRESS}
) | {Action.CODE_EXECUTED.value}


def find(window: Window) -> Iterator[Hit]:
    """Yield what was done outside of working hours without an approved night or holiday."""
    groups: dict[tuple[str, str, str, str], list[Line]] = {}
    for line in window.now(TOUCHES):
        if line.is_person and line.is_done and (found := _when(line, window.limits_of(line.project))):
            groups.setdefault((line.actor, line.project, *found), []).append(line)
    for (_, _, why, day), lines in groups.items():
        yield hit(Rule.OFF_HOURS, why, lines, day=day)


def _when(line: Line, limits: Limits) -> tuple[str, str] | None:
    """Return which kind of time it was and the Korean day to which it belongs: a night belongs to the day it began."""
    at = line.at.astimezone(KST)
    early = at.hour < limits.night_until
    if early or at.hour >= limits.night_from:
        day = at.date() - timedelta(days=early)
        return None if limits.night_approved else ("night", day.isoformat())
    if not workdays.is_working_day(at.date()) and not limits.holiday_approved:
        return ("holiday", at.date().isoformat())
    return None
