"""How many reviewers an import needs: two organisations for whatever comes in, a committee only for what is blocked."""

from __future__ import annotations

import pytest

from enclave.airlock.report import Verdict
from enclave.policy.airlock.reviewers import FileFacts, ReviewerRules, needed
from enclave.states import FileRole


@pytest.mark.parametrize(
    ("kind", "verdict", "reviewers"),
    [
        ("code", Verdict.PASS, 2),
        ("table", Verdict.PASS, 2),
        ("packages", Verdict.WARN, 2),
        ("model", Verdict.PASS, 2),
        ("model", Verdict.BLOCK, 3),
        ("code", Verdict.BLOCK, 3),
    ],
)
def test_what_comes_in_needs_two_and_what_is_blocked_a_committee(kind: str, verdict: Verdict, reviewers: int) -> None:
    file = FileFacts("f", FileRole.OUTPUT, kind, verdict)
    assert needed([file], ReviewerRules(), incoming=True).reviewers == reviewers


def test_weights_that_leave_need_a_committee_all_the_same() -> None:
    file = FileFacts("f", FileRole.OUTPUT, "model", Verdict.PASS)
    assert needed([file], ReviewerRules()).reviewers == 3
