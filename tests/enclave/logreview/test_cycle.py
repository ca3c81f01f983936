"""When a review is due, by the internal plan."""

from __future__ import annotations

from datetime import date

import pytest

from enclave.errors import Invalid
from enclave.policy.logreview.cycle import FIRST, Plan


@pytest.mark.parametrize(
    ("months", "days", "started", "ends", "due"),
    [
        (1, 10, date(2026, 11, 24), date(2026, 11, 30), date(2026, 12, 10)),
        (1, 10, date(2026, 12, 3), date(2026, 12, 31), date(2027, 1, 10)),
        (1, 5, date(2028, 2, 1), date(2028, 2, 29), date(2028, 3, 5)),
        (3, 10, date(2026, 11, 1), date(2027, 1, 31), date(2027, 2, 10)),
        (12, 60, date(2026, 1, 31), date(2026, 12, 31), date(2027, 3, 1)),
    ],
)
def test_a_period_ends_with_a_month_and_is_late_the_day_after_it_was_due(months, days, started, ends, due):
    plan = Plan("2026-1", months, days)
    assert (plan.ends_on(started), plan.due_on(started)) == (ends, due)
    assert plan.late(started, due) == 0
    assert plan.late(started, date.fromordinal(due.toordinal() + 3)) == 3


def test_without_a_word_it_is_every_month_and_a_longer_interval_says_so():
    assert (FIRST.months, FIRST.is_long, Plan("x", 2).is_long) == (1, False, True)


@pytest.mark.parametrize("wrong", [("v", 0), ("v", 13), ("v", 1, 0), ("v", 1, 61), ("",), (" ",), ("v" * 61,)])
def test_a_plan_that_says_nothing_sensible_is_refused(wrong):
    with pytest.raises(Invalid):
        Plan(*wrong)
