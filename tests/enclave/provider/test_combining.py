"""Of several providers the strictest counts: in any order, however often, and never looser than any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.report import FileReport, Finding, Severity, Verdict
from enclave.policy.provider.combining import differences, is_as_strict, stopped, strictest
from enclave.policy.provider.document import PolicyDocument, default
from enclave.policy.provider.fields import FIELDS
from tests.enclave.provider.policies import policies, policy


@given(policies(), policies(), policies())
def test_the_strictest_does_not_depend_on_order_or_repetition(
    one: PolicyDocument, two: PolicyDocument, three: PolicyDocument
) -> None:
    assert strictest([one, two]) == strictest([two, one])
    assert strictest([strictest([one, two]), three]) == strictest([one, strictest([two, three])])
    assert strictest([one, one]) == one == strictest([one])


@given(st.lists(policies(), min_size=1, max_size=4))
def test_the_strictest_is_never_looser_than_any_part(parts: list[PolicyDocument]) -> None:
    together = strictest(parts)
    assert all(is_as_strict(together, each) for each in parts)
    assert together.min_cell == max(each.min_cell for each in parts)
    assert together.max_rows == min(each.max_rows for each in parts)
    assert set(together.block) == {rule for each in parts for rule in each.block}
    assert together.committee == max(each.committee for each in parts)


def test_there_is_no_strictest_of_nothing() -> None:
    with pytest.raises(ValueError, match="no policy"):
        strictest([])


@given(policies(), policies())
def test_a_difference_is_told_for_exactly_the_fields_that_differ(one: PolicyDocument, two: PolicyDocument) -> None:
    told = differences(one, two)
    assert [each.name for each in told] == [name for name in FIELDS if getattr(one, name) != getattr(two, name)]
    assert all(each.stricter for each in told) == is_as_strict(two, one)


def test_a_difference_says_which_way_it_goes() -> None:
    [one] = differences(default(), policy(min_cell=20))
    assert (one.ko, one.en) == ("최소 셀 빈도(명): 10 → 20 (강화)", "smallest cell (people): 10 → 20 (stricter)")
    [one] = differences(default(), policy(max_rows=2000))
    assert (one.ko, one.en) == ("표의 최대 행 수: 1,000 → 2,000 (완화)", "most rows of a table: 1,000 → 2,000 (looser)")


def test_a_warning_that_a_policy_stops_is_a_block() -> None:
    zero, ragged = (
        Finding(rule=rule, severity=Severity.WARN, ko="가", en="a") for rule in ("cell.zero", "table.ragged")
    )
    report = FileReport(name="a.csv", sha256="0" * 64, kind="table", findings=(zero, ragged))
    assert stopped(report, default()) == report
    found = stopped(report, policy(block=("cell.zero",)))
    assert found.verdict is Verdict.BLOCK
    assert [each.severity for each in found.findings] == [Severity.BLOCK, Severity.WARN]
