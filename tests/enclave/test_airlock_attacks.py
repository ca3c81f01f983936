"""Ways around the workflow that were tried on the real database, each with what stops it now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.actor import Actor
from enclave.airlock.incoming.limits import ImportLimits
from enclave.commands import egress, incoming, people, project, release
from enclave.errors import EnclaveError
from enclave.policy.airlock import visibility
from enclave.queries import egress as queries
from enclave.queries.airlock_facts import facts, load_request
from enclave.roles import Role
from enclave.states import Decision, Direction, FileVote, RequestState
from tests.enclave.scene import NOW, Scene

HONEST = ("checker-a2", "checker-b")


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(EnclaveError) as refused:
        act()
    return refused.value.code


def project_of_two(scene: Scene) -> str:
    """A project of the start-up with a member of review-c, who brought some of the work."""
    made = scene.approved(people=("scientist", "colleague", "other-lead"))
    scene.pledged(made, "lead", "scientist", "other-lead")
    project.activate(scene.store, scene.actor("lead"), project_id=made, now=NOW)
    return made


def test_a_request_handed_to_another_organisation_is_not_judged_by_the_one_it_came_from(shared: Scene) -> None:
    form = shared.submission(project_of_two(shared))
    made = egress.submit(shared.store, shared.actor("other-lead"), submission=form, now=NOW).id
    assert refusal(lambda: shared.vote("checker-c", made)) == "egress.own-organisation"
    egress.reassign(
        shared.store, shared.actor("other-lead"), request_id=made, login="scientist", reason="휴가", now=NOW
    )
    assert refusal(lambda: shared.vote("checker-c", made)) == "egress.own-organisation"
    shared.vote("checker-a", made, Decision.RETURN)
    again = shared.submission(form.project_id, request_id=made)
    egress.submit(shared.store, shared.actor("scientist"), submission=again, now=NOW)
    assert refusal(lambda: shared.vote("checker-c", made)) == "egress.own-organisation"
    shared.vote("checker-a", made)
    assert shared.vote("checker-b", made).state is RequestState.APPROVED


def test_nobody_judges_what_their_own_organisation_receives(shared: Scene) -> None:
    made = shared.submitted(project_of_two(shared), receiver_login="other-lead")
    assert refusal(lambda: shared.vote("checker-c", made)) == "egress.own-organisation"
    shared.vote("checker-a", made)
    assert shared.vote("checker-b", made).state is RequestState.APPROVED


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.REVIEWER])
def test_an_overseer_of_the_organisation_that_asks_does_not_see_its_hidden_cells(shared: Scene, role: Role) -> None:
    made = shared.submitted(shared.usual())
    outside = shared.actor(role.value)
    with shared.store.read() as session:
        about = facts(load_request(session, made), NOW)
    assert visibility.sees_evidence(outside, about)
    assert not visibility.sees_evidence(replace(outside, organisation_id="startup"), about)


def test_the_words_of_a_recall_are_not_for_everybody_who_sees_that_it_is_unconfirmed(scene: Scene) -> None:
    made = scene.approved_request(scene.active())
    found = queries.request(scene.store, scene.actor("scientist"), made, now=NOW).release
    assert found is not None
    release.build(scene.store, scene.depot, release_id=found.id, now=NOW)
    release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=found.id, now=NOW)
    reason = {"release_id": found.id, "reason": "홍길동 씨의 값이 보임", "now": NOW}
    release.recall(scene.store, scene.depot, scene.actor("checker-a"), **reason)
    said = {"checker-b": True, "steward-a": True, "auditor": True}
    said |= {"operator": False, "checker-own": False, "steward-b": False}
    for login, reads in said.items():
        (one,) = queries.unconfirmed_recalls(scene.store, scene.actor(login), now=NOW)
        assert (one.recall_reason is not None) == reads, login
    assert queries.to_receive(scene.store, scene.actor("scientist"), now=NOW)[0].recall_reason


def test_an_import_is_laid_out_only_as_far_as_the_votes_carry_it_now(scene: Scene, tmp_path: Path) -> None:
    """A checker without the role does not count; with the role back their earlier no does."""
    files = scene.checked("x = 1\n", "a.py"), scene.checked("y = 1\n", "b.py")
    made = scene.submitted(scene.active(), *files, direction=Direction.IMPORT)
    named = {file.name: file.id for file in queries.request(scene.store, scene.actor("auditor"), made, now=NOW).files}
    scene.vote("checker-a", made, votes={named["a.py"]: FileVote.CHANGES}, comment="고치세요.")
    role = {"login": "checker-a", "role": Role.OUTPUT_CHECKER, "reason": "휴직", "now": NOW}
    people.revoke_role(scene.store, Actor.console(), **role)
    for login in HONEST:
        scene.vote(login, made)
    found = queries.request(scene.store, scene.actor("auditor"), made, now=NOW)
    assert (found.state, [file.passed for file in found.files]) == (RequestState.APPROVED, [True, True])
    people.grant_role(scene.store, Actor.console(), **role)
    ground = incoming.Ground(scene.depot.quarantine, tmp_path / "imports", ImportLimits())
    lay_out = lambda: incoming.lay_out(scene.store, ground, Actor.system(), request_id=made, now=NOW)  # noqa: E731
    assert refusal(lay_out) == "egress.two-person"
    assert not list((tmp_path / "imports").glob("*"))
    people.revoke_role(scene.store, Actor.console(), **role)
    assert lay_out().files == 2
