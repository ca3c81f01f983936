"""The limits of the review as a file: strict, one spelling, named by its hash."""

from __future__ import annotations

import pytest

from enclave.errors import Invalid
from enclave.policy.logreview.limits import FIELDS, Limits, parse


def test_what_is_written_is_read_back_under_the_same_name() -> None:
    limits = Limits(rows_per_hour=2_000, pools=("10.0.0.0/24",))
    assert parse(limits.canonical()) == limits
    assert parse("# other blanks\n" + limits.canonical()).sha256 == limits.sha256 != Limits().sha256


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_must_be_there_within_its_bounds_and_of_its_kind(name: str) -> None:
    text = Limits().canonical()
    row = next(each for each in text.splitlines() if each.startswith(f"{name} ="))
    wrong = ["", f"{name}s = 1", f"{name} = true"]
    wrong += [f'{name} = ["10.0.0.0/99"]'] if FIELDS[name].is_list else [f"{name} = {FIELDS[name].high + 1}"]
    for each in wrong:
        with pytest.raises(Invalid) as refused:
            parse(text.replace(row, each))
        assert refused.value.code.startswith("limits."), each


@pytest.mark.parametrize("text", ["", "format = 1", "[", "x" * 20_000, 'format = "ansim-review-v1"\nnight_from = 3'])
def test_what_is_no_file_of_limits_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)
