"""The measure that the bench judges recodings by, counted by hand."""

from __future__ import annotations

import pytest

from tests.bench.recoding_loss import Group, penalty


def test_ranges_and_sets_of_unequal_groups_are_weighed_by_their_rows() -> None:
    groups: list[Group] = [
        (6, {"age": [10, 20], "job": frozenset({"a", "b"})}),
        (2, {"age": [30, 50], "job": frozenset({"c"})}),
    ]
    age = (6 * 10 + 2 * 20) / 40
    job = (6 * 1 + 2 * 0) / 2
    assert penalty(groups) == pytest.approx((age + job) / (8 * 2))
