"""The airlock's clock: Korean working days, substitutes included, for years ahead."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from enclave import workdays
from enclave.clock import KST


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-24", True),
        ("2026-11-28", False),  # Saturday
        ("2026-12-25", False),
        ("2027-02-10", True),
        ("2027-02-09", False),  # substitute of the lunar new year (7 February is a Sunday)
        ("2028-05-02", False),  # Buddha's birthday, by the lunar calendar
        ("2028-10-05", False),  # substitute: the harvest festival meets the foundation day
        ("2029-05-07", False),  # substitute of children's day (a Saturday)
        ("2030-05-06", False),  # substitute of children's day (a Sunday)
        ("2031-03-03", False),  # substitute of 1 March (a Saturday)
        ("2032-02-11", False),  # lunar new year
    ],
)
def test_holidays_and_their_substitutes_are_known_years_ahead(day, works):
    assert workdays.is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-24T12:00", 1, "2026-11-25T12:00"),
        ("2026-11-27T15:00", 1, "2026-11-30T15:00"),  # over a weekend
        ("2026-11-24T12:00", 5, "2026-12-01T12:00"),
        ("2026-11-29T09:00", 1, "2026-12-01T00:00"),  # begins on a Sunday: Monday counts whole
        ("2026-12-24T10:00", 2, "2026-12-29T10:00"),  # Christmas is a Friday
        ("2026-11-24T12:00", 4, "2026-11-30T12:00"),
        ("2026-11-24T00:00", 0.5, "2026-11-24T12:00"),
    ],
)
def test_time_runs_on_working_days_only(start, days, end):
    assert workdays.after(at(start), days) == at(end)
    assert workdays.between(at(start), at(end)) == pytest.approx(days)


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-11-24T12:00", "2026-12-01"),
        ("2026-11-28T09:00", "2026-12-04"),  # begins on a Saturday: due at the end of the Friday, not on a Saturday
        ("2026-12-18T00:00", "2026-12-24"),  # ends as Christmas begins
    ],
)
def test_the_day_on_which_something_is_due_is_a_working_day(start, day):
    due = workdays.day_of(workdays.after(at(start), 5))
    assert due == date.fromisoformat(day)
    assert workdays.is_working_day(due)


def test_what_ends_before_it_begins_took_no_time():
    assert workdays.between(at("2026-11-25T12:00"), at("2026-11-24T12:00")) == 0
