"""Risk and utility figures against hand calculation and pandas."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deid.plot import grouped_bars, share_bars
from deid.risk.measures import BINS, risk_of


def test_the_three_attackers_on_a_table_one_can_count_by_hand() -> None:
    # Published classes of 5, 5 and 10 patients; in the source they had 5, 8 and 10, and one class of 2 is gone.
    risk = risk_of(np.array([5, 5, 10, 0]), np.array([5, 8, 10, 2]))
    assert (risk.records, risk.classes, risk.smallest) == (20, 3, 5)
    assert (risk.prosecutor_max, risk.journalist_max, risk.marketer) == (0.2, 0.2, 0.15)
    assert risk.unique_share == 0.0
    assert risk.patients_by_size == (0, 0, 10, 10, 0, 0, 0)


def test_a_population_larger_than_the_sample_lowers_the_journalists_chance() -> None:
    risk = risk_of(np.array([1, 4]), np.array([10, 20]))
    assert (risk.prosecutor_max, risk.journalist_max) == (1.0, 0.1)
    assert risk.unique_share == 0.2


def test_an_empty_table_has_no_risk() -> None:
    assert risk_of(np.array([0, 0])).records == 0
    assert risk_of(np.array([], np.int64)).prosecutor_max == 0.0


@given(st.lists(st.integers(0, 300), max_size=60))
def test_every_patient_is_in_exactly_one_bar(sizes: list[int]) -> None:
    risk = risk_of(np.array(sizes, np.int64))
    assert sum(risk.patients_by_size) == sum(sizes) == risk.records
    assert len(risk.patients_by_size) == len(BINS)


def test_plots_escape_what_they_are_given_and_stay_inside() -> None:
    drawn = share_bars([("<i>", 0.5, "&")], title="</title>") + grouped_bars(["<"], [("\"'", [1.0])], title="<")
    assert "<i>" not in drawn
    assert "&lt;i&gt;" in drawn
    assert drawn.count("<title>") == 2
    over = share_bars([("x", 7.0, "")], title="t")
    assert 'width="360.0"' in over
