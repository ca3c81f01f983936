"""Tables as statistical tools print them, and how people write numbers: what is read, and what is no number."""

from __future__ import annotations

import pytest

from enclave.airlock.checks.numbers import read_number


@pytest.mark.parametrize("text", ["E11", "e3", "-E5", "", ".", "-", "1e999", "-1e400", "1E", "1,23"])
def test_codes_and_numbers_beyond_all_bounds_are_no_numbers(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("1e3", 1000), (".5", 0.5), ("12.", 12), ("1,234.5", 1234.5), ("-2E-2", -0.02)]
)
def test_numbers_in_their_usual_spellings_are_read(text: str, value: float) -> None:
    assert read_number(text) == value
