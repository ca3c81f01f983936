"""Two reviewers at the same moment: exactly one outcome, no lost vote, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from enclave.commands import egress, release, reviewing
from enclave.errors import EnclaveError
from enclave.model.egress import AirlockRequest
from enclave.model.release import Release
from enclave.model.review import Review
from enclave.queries import egress as queries
from enclave.states import Decision, ReleaseState, RequestState
from tests.enclave.scene import NOW, Scene


def together(*acts: Callable[[], object]) -> list[object]:
    """Do them at the same moment, each in its own thread; return each result or error in order."""
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[place] = act()
        except EnclaveError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _voting(scene: Scene, made: str, login: str, decision: Decision) -> Callable[[], object]:
    actor, ballot = scene.actor(login), scene.ballot(made, decision)
    return lambda: reviewing.decide(scene.store, actor, request_id=made, vote=ballot, now=NOW)


def _rows(scene: Scene, made: str) -> tuple[RequestState, int, int]:
    with scene.store.read() as session:
        state = session.scalar(select(AirlockRequest.state).where(AirlockRequest.id == made))
        votes = session.scalars(select(Review.id).where(Review.request_id == made)).all()
        releases = session.scalars(select(Release.id).where(Release.request_id == made)).all()
    assert state is not None
    return state, len(votes), len(releases)


@pytest.mark.parametrize("_again", range(4))
def test_two_approvals_at_once_both_count_and_release_once(shared, _again):
    made = shared.submitted(shared.usual())
    votes = [_voting(shared, made, login, Decision.APPROVE) for login in ("checker-a", "checker-b")]
    with shared.new_entries() as entries:
        results = together(*votes)
    assert [isinstance(result, EnclaveError) for result in results] == [False, False]
    assert _rows(shared, made) == (RequestState.APPROVED, 2, 1)
    assert sum(entry["action"] == "release.requested" for entry in entries) == 1


@pytest.mark.parametrize("_again", range(4))
@pytest.mark.parametrize("other", [Decision.REJECT, Decision.RETURN])
def test_the_deciding_approval_and_a_no_at_once_have_one_outcome(shared, other, _again):
    made = shared.submitted(shared.usual())
    shared.vote("checker-c", made)
    acts = _voting(shared, made, "checker-a", Decision.APPROVE), _voting(shared, made, "checker-b", other)
    with shared.new_entries() as entries:
        results = together(*acts)
    refused = [result for result in results if isinstance(result, EnclaveError)]
    assert [error.code for error in refused] == ["egress.not-under-review"]
    state, votes, releases = _rows(shared, made)
    assert (votes, releases) == (2, 1 if state is RequestState.APPROVED else 0)
    assert state in {RequestState.APPROVED, reviewing.OUTCOMES[other]}
    terminal = [entry["outcome"] for entry in entries if entry["action"] != "release.requested"]
    assert sorted(terminal) == ["done", "failed"]


def test_two_checkers_of_one_organisation_at_once_count_once(shared):
    made = shared.submitted(shared.usual())
    results = together(*(_voting(shared, made, login, Decision.APPROVE) for login in ("checker-a", "checker-a2")))
    assert sum(isinstance(result, EnclaveError) for result in results) == 1
    assert _rows(shared, made) == (RequestState.SUBMITTED, 1, 0)


def test_one_checker_in_two_windows_votes_once(shared):
    made = shared.submitted(shared.usual())
    results = together(*(_voting(shared, made, "checker-a", Decision.APPROVE) for _ in range(2)))
    assert sum(isinstance(result, EnclaveError) for result in results) == 1
    assert _rows(shared, made) == (RequestState.SUBMITTED, 1, 0)


def test_a_double_click_submits_once(shared):
    form, actor = shared.submission(shared.usual()), shared.actor("scientist")
    results = together(*(lambda: egress.submit(shared.store, actor, submission=form, now=NOW) for _ in range(3)))
    assert len({result.id for result in results}) == 1
    with shared.store.read() as session:
        query = select(AirlockRequest.id).where(AirlockRequest.idempotency_key == form.idempotency_key)
        assert len(session.scalars(query).all()) == 1


def test_a_withdrawal_and_the_deciding_vote_at_once_have_one_outcome(shared):
    made = shared.submitted(shared.usual())
    shared.vote("checker-a", made)
    actor = shared.actor("scientist")
    results = together(
        _voting(shared, made, "checker-b", Decision.APPROVE),
        lambda: egress.withdraw(shared.store, actor, request_id=made, now=NOW),
    )
    # An approval can still be withdrawn while nothing has left: the vote may come first, and is given up then.
    state, votes, releases = _rows(shared, made)
    assert (state, votes, releases) in {(RequestState.WITHDRAWN, 2, 1), (RequestState.WITHDRAWN, 1, 0)}
    assert sum(isinstance(result, EnclaveError) for result in results) == 2 - votes
    with shared.store.read() as session:
        kept = session.scalars(select(Release.state).where(Release.request_id == made)).all()
    assert set(kept) <= {ReleaseState.CANCELLED}


def test_two_builders_at_once_leave_one_package_that_opens(shared):
    made = shared.approved_request(shared.usual())
    view = queries.request(shared.store, shared.actor("scientist"), made, now=NOW).release
    before = set(shared.depot.folder.iterdir())
    results = together(
        *(lambda: release.build(shared.store, shared.depot, release_id=view.id, now=NOW) for _ in range(2))
    )
    assert sum(isinstance(result, EnclaveError) for result in results) == 1
    assert len(set(shared.depot.folder.iterdir()) - before) == 1
    handed = release.hand_over(shared.store, shared.depot, shared.actor("scientist"), release_id=view.id, now=NOW)
    assert handed.path.exists()


def test_two_downloads_at_once_hand_over_once(shared):
    made = shared.approved_request(shared.usual())
    view = queries.request(shared.store, shared.actor("scientist"), made, now=NOW).release
    release.build(shared.store, shared.depot, release_id=view.id, now=NOW)
    actor = shared.actor("scientist")
    results = together(
        *(lambda: release.hand_over(shared.store, shared.depot, actor, release_id=view.id, now=NOW) for _ in range(3))
    )
    assert sum(isinstance(result, EnclaveError) for result in results) == 2
