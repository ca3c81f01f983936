"""How many reviewers a request needs: a table of files and the number that follows from them."""

from __future__ import annotations

import pytest

from enclave.airlock.report import Verdict
from enclave.policy.airlock.reviewers import FileFacts, Reason, ReviewerRules, needed
from enclave.states import FileRole

PASS, WARN, BLOCK = Verdict.PASS, Verdict.WARN, Verdict.BLOCK
OUTPUT, SUPPORTING, CODE = FileRole


def file(verdict=PASS, kind="table", role=OUTPUT, *, recomputed=False):
    return FileFacts("f", role, kind, verdict, recomputed=recomputed)


GOOD = file(recomputed=True)


@pytest.mark.parametrize(
    ("files", "number", "reasons"),
    [
        ([GOOD], 1, ()),
        ([GOOD, GOOD], 1, ()),
        ([file()], 2, (Reason.NOT_RECOMPUTED,)),
        ([GOOD, file()], 2, (Reason.NOT_RECOMPUTED,)),
        ([file(WARN, recomputed=True)], 2, (Reason.WARNING,)),
        ([file(kind="picture")], 2, (Reason.PICTURE, Reason.NOT_RECOMPUTED)),
        ([file(kind="text", recomputed=True)], 2, (Reason.NOT_RECOMPUTED,)),
        ([GOOD, file(role=CODE, kind="text")], 2, (Reason.CODE,)),
        ([GOOD, file(BLOCK, role=SUPPORTING)], 1, ()),
        ([file(BLOCK, recomputed=True)], 3, (Reason.OVERRIDE,)),
        ([GOOD, file(BLOCK)], 3, (Reason.OVERRIDE, Reason.NOT_RECOMPUTED)),
        ([file(kind="weights")], 3, (Reason.WEIGHTS, Reason.NOT_RECOMPUTED)),
        ([], 2, ()),
    ],
)
def test_the_number_follows_from_the_riskiest_file(files, number, reasons):
    found = needed(files, ReviewerRules())
    assert (found.reviewers, found.reasons) == (number, reasons)
    assert found.committee is (number == 3)


def test_a_receiver_abroad_needs_a_committee_whatever_the_files():
    found = needed([GOOD], ReviewerRules(), overseas=True)
    assert (found.reviewers, found.reasons) == (3, (Reason.OVERSEAS,))


def test_a_provider_may_ask_for_more_and_never_for_less_than_the_house():
    strict = ReviewerRules(recomputed=2, standard=3, committee=5)
    assert [needed([each], strict).reviewers for each in (GOOD, file(), file(BLOCK))] == [2, 3, 5]
    for weak in (
        {"standard": 1},
        {"recomputed": 0},
        {"committee": 2},
        {"committee": 4},
        {"committee": 9},
        {"recomputed": 3},
        {"working_days": 0},
        {"working_days": 31},
        {"escalate_at": 1.5},
    ):
        with pytest.raises(ValueError, match=r"committee|standard|working_days"):
            ReviewerRules(**weak)
