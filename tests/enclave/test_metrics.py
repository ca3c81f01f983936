"""The metrics page's numbers: each definition against cases counted by hand, and the whole on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enclave import workdays
from enclave.commands import egress, reviewing
from enclave.errors import Denied
from enclave.queries.measures import Agreement, agreement, percentile, share_of
from enclave.queries.metrics import metrics, period
from enclave.roles import Role
from enclave.states import Decision, FileVote
from tests.enclave.scene import CAST, NOW, Scene

A, C = FileVote.APPROVE, FileVote.CHANGES


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [
        ([], 0.5, None),
        ([7], 0.5, 7),
        ([7], 0.95, 7),
        ([1, 2], 0.5, 1),
        ([3, 1, 2], 0.5, 2),
        (range(1, 21), 0.95, 19),
        (range(1, 101), 0.95, 95),
        ([1.0] * 19 + [9.0], 0.95, 1.0),
    ],
)
def test_a_percentile_is_a_value_that_occurred(values: list[float], share: float, wanted: float | None) -> None:
    assert percentile(values, share) == wanted


# The first is the textbook's: 20 + 15 of 50 agree, chance alone gives 0.5, kappa is 0.4.
@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([(A, A)] * 20 + [(A, C)] * 5 + [(C, A)] * 10 + [(C, C)] * 15, Agreement(50, 0.7, pytest.approx(0.4))),
        ([(A, C)] * 2 + [(C, A)] * 2, Agreement(4, 0.0, pytest.approx(-1.0))),
        ([(A, A), (C, C)], Agreement(2, 1.0, pytest.approx(1.0))),
        ([(A, A)] * 9, Agreement(9, 1.0, None)),
        ([], Agreement(0, None, None)),
    ],
    ids=["textbook", "always opposed", "always equal", "only one word", "nothing"],
)
def test_agreement_is_counted_as_cohen_does(pairs: list[tuple[FileVote, FileVote]], wanted: Agreement) -> None:
    assert agreement(pairs) == wanted


def test_a_share_of_nothing_is_no_share() -> None:
    assert (share_of(0, 0), share_of(1, 4)) == (None, 0.25)


@pytest.mark.parametrize(("text", "days"), [("30", 30), ("365", 365), ("", 90), ("-1", 90), ("1e9", 90)])
def test_a_period_is_one_of_three(text: str, days: int) -> None:
    assert period(text, NOW) == NOW - timedelta(days=days)


def test_reviews_of_a_real_request_are_counted_and_nobody_is_named(scene: Scene) -> None:
    project = scene.usual()
    made = scene.submitted(project, scene.checked(name="a.csv"), scene.checked("연령,수\n50대,60\n", name="b.csv"))
    refused = scene.submitted(project, scene.checked("연령,수\n60대,70\n", name="c.csv"))
    from enclave.queries.airlock_facts import load_request, present_files

    with scene.store.read() as session:
        second = present_files(load_request(session, made))[1].id
    scene.vote("checker-a", made)
    scene.vote("checker-b", made, Decision.CHANGES, votes={second: A}, comment="a를 고쳐 주세요.")
    found = metrics(scene.store, scene.actor("checker-c"), since=NOW - timedelta(days=1), now=NOW)
    assert found.agreement.pairs == 0, "a third reviewer would learn what the two said"
    scene.vote(
        "checker-b", made, Decision.REJECT, comment="a를 고칠 수 없습니다.", reason_code="other", votes={second: A}
    )
    scene.vote("checker-a", refused, Decision.REJECT, reason_code="purpose", comment="목적과 다릅니다.")
    found = metrics(scene.store, scene.actor("auditor"), since=NOW - timedelta(days=1), now=NOW)
    assert found.agreement.pairs == 2
    assert found.agreement.share == 0.5
    assert dict(found.causes) == {"purpose": 1, "other": 1}
    assert (found.rounds, found.waiting, found.first_median, found.late) == (2, 0, 0.0, 0)
    assert (found.decided_median, found.decided_high) == (0.0, 0.0), "of the one that was rejected"
    assert (found.approved, found.override_rate) == (0, None)
    assert not any(login in repr(found) for login in CAST)


def test_the_time_to_a_decision_runs_past_the_first_review_and_withdrawals_are_no_decisions(scene: Scene) -> None:
    project = scene.usual()
    made, taken_back = scene.submitted(project), scene.submitted(project)
    egress.withdraw(scene.store, scene.actor("scientist"), request_id=taken_back, now=NOW)
    scene.vote("checker-a", made)
    later = NOW + timedelta(days=1)
    second = scene.actor("checker-b", now=later)
    reviewing.decide(scene.store, second, request_id=made, vote=scene.ballot(made), now=later)
    found = metrics(scene.store, scene.actor("auditor"), since=NOW - timedelta(days=1), now=later)
    assert (found.rounds, found.first_median) == (2, 0.0)
    assert found.decided_median == found.decided_high == workdays.between(NOW, later) == 1.0


SEES = {Role.DATA_STEWARD, Role.OUTPUT_CHECKER, Role.REVIEWER, Role.AUDITOR}


def test_exactly_stewards_checkers_and_overseers_see_the_metrics(scene: Scene) -> None:
    for login, (_, roles) in CAST.items():
        if SEES & set(roles):
            metrics(scene.store, scene.actor(login), since=NOW, now=NOW)
        else:
            with pytest.raises(Denied):
                metrics(scene.store, scene.actor(login), since=NOW, now=NOW)
