"""Which decisions would not have come about: told from a round's files, its end, and two policies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from enclave.airlock.report import FileReport, Finding, Severity, Verdict
from enclave.policy.airlock.reviewers import FileFacts
from enclave.policy.provider.document import PolicyDocument, default
from enclave.policy.provider.flips import FileReplay, Flip, Method, Round, outcome, restated, same_checks
from enclave.states import FileRole, RequestState
from tests.enclave.provider.policies import policies, policy

WARN, BLOCK = Severity.WARN, Severity.BLOCK


def finding(rule: str, severity: Severity, place: str = "") -> Finding:
    return Finding(rule=rule, severity=severity, ko="가", en="a", place=place, sample="홍***")


def file(
    old: Verdict,
    *new: Finding,
    passed: bool = True,
    recomputed: bool = True,
    role: FileRole = FileRole.OUTPUT,
    gone: bool = False,
) -> FileReplay:
    facts = FileFacts("f-1", role, "table", old, recomputed=recomputed, passed=passed)
    report = FileReport(name="표.csv", sha256="0" * 64, kind="table", findings=new)
    return FileReplay(facts, "표.csv", Method.GONE if gone else Method.CHECKED, None if gone else report, recomputed)


def ended(state: RequestState, under: PolicyDocument | None = None) -> Round:
    return Round(state, under or default(), overseas=False, incoming=False)


PASSED, RETURNED, REJECTED = RequestState.APPROVED, RequestState.RETURNED, RequestState.REJECTED
SMALL = finding("cell.small", BLOCK, "R3 C2 (홍길동)")


@pytest.mark.parametrize(
    ("state", "one", "new", "flips"),
    [
        (PASSED, file(Verdict.PASS), default(), []),
        (PASSED, file(Verdict.PASS, SMALL), default(), [Flip.WOULD_BLOCK, Flip.MORE_REVIEWERS]),
        (PASSED, file(Verdict.PASS, SMALL, passed=False), default(), [Flip.MORE_REVIEWERS]),
        (PASSED, file(Verdict.BLOCK, SMALL), default(), []),
        (PASSED, file(Verdict.WARN), default(), [Flip.FEWER_REVIEWERS]),
        (PASSED, file(Verdict.PASS, finding("cell.zero", WARN)), default(), [Flip.MORE_REVIEWERS]),
        (RETURNED, file(Verdict.BLOCK), default(), [Flip.WOULD_PASS, Flip.FEWER_REVIEWERS]),
        (REJECTED, file(Verdict.BLOCK, finding("cell.zero", WARN)), default(), [Flip.WOULD_PASS, Flip.FEWER_REVIEWERS]),
        (REJECTED, file(Verdict.BLOCK, SMALL), default(), []),
        (REJECTED, file(Verdict.PASS), default(), []),
        (PASSED, file(Verdict.PASS), policy(recomputed=2), [Flip.MORE_REVIEWERS]),
        (PASSED, file(Verdict.PASS, gone=True), policy(min_cell=20), []),
        (PASSED, file(Verdict.PASS, SMALL, role=FileRole.SUPPORTING), default(), []),
    ],
)  # fmt: skip
def test_a_decision_flips_in_exactly_these_ways(
    state: RequestState, one: FileReplay, new: PolicyDocument, flips: list[Flip]
) -> None:
    assert list(outcome(ended(state), [one], new).flips) == flips


def test_an_outcome_names_rule_and_place_but_no_column_and_no_sample() -> None:
    told = outcome(ended(PASSED), [file(Verdict.PASS, SMALL)], default())
    assert told.files[0]["rules"] == [{"rule": "cell.small", "place": "R3 C2"}]
    assert "홍" not in str(told.as_json())
    assert (told.old_reviewers, told.new_reviewers, told.new_reasons) == (1, 3, ("override",))


def test_a_file_of_which_nothing_can_be_said_is_counted_and_not_guessed() -> None:
    told = outcome(ended(PASSED), [file(Verdict.PASS, gone=True)], policy(min_cell=20))
    assert (told.unknown, told.files[0]["new"], told.files[0]["method"]) == (1, "", "gone")


@given(policies(), policies())
def test_a_stored_report_needs_no_file_unless_a_limit_of_a_check_differs(
    one: PolicyDocument, two: PolicyDocument
) -> None:
    names = (
        "min_cell",
        "min_freedom",
        "dominance_percent",
        "p_percent",
        "max_rows",
        "max_points",
        "max_lines",
        "max_file_mib",
    )
    assert same_checks(one, two) == all(getattr(one, name) == getattr(two, name) for name in names)
    assert same_checks(one, replace(one, working_days=two.working_days, block=two.block))


def test_what_a_policy_alone_stopped_is_a_warning_again_and_a_block_of_the_checker_stays() -> None:
    stops, stored = policy(block=("cell.zero",)), (finding("cell.zero", BLOCK), finding("cell.small", BLOCK))
    assert [each.severity for each in restated(stored, stops, default())] == [WARN, BLOCK]
    assert restated(stored, stops, stops) == stored
    assert [each.severity for each in restated((finding("cell.zero", WARN),), default(), stops)] == [BLOCK]
