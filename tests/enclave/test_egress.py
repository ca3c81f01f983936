"""Asking to take files out and deciding on it, step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.commands import egress, people, reviewing
from enclave.commands.ballot import Judgements
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.queries import egress as queries
from enclave.roles import Role
from enclave.states import Decision, RequestState
from tests.enclave.scene import JUDGEMENTS, NOW, Scene, build


def view(scene: Scene, made: str, login: str = "scientist"):
    return queries.request(scene.store, scene.actor(login), made, now=NOW)


def submit(scene: Scene, project_id: str, *files, **changes):
    form = scene.submission(project_id, *files, **changes)
    return egress.submit(scene.store, scene.actor("scientist"), submission=form, now=NOW)


def test_a_request_keeps_what_the_checker_found(shared):
    made = submit(shared, shared.usual(), shared.checked(), shared.checked("수\n3\n", "small.csv", block=True))
    assert (made.verdict, [file.verdict for file in made.files]) == (Verdict.BLOCK, [Verdict.PASS, Verdict.BLOCK])
    assert [(each.rule, each.ko) for each in made.files[1].findings] == [("min-cell", "작은 칸")]
    assert (made.state, made.round) == (RequestState.SUBMITTED, 1)
    assert made.may == {"withdraw", "reassign", "comment"}


def test_the_same_click_twice_is_one_request_and_the_same_key_for_something_else_is_refused(shared):
    project_id = shared.usual()
    form = shared.submission(project_id)
    actor = shared.actor("scientist")
    first = egress.submit(shared.store, actor, submission=form, now=NOW)
    again = egress.submit(shared.store, actor, submission=form, now=NOW)
    assert again.id == first.id
    with pytest.raises(Conflict) as refused:
        egress.submit(shared.store, actor, submission=replace(form, purpose="다른 목적"), now=NOW)
    assert refused.value.code == "egress.key-reused"
    other = egress.submit(shared.store, shared.actor("lead"), submission=form, now=NOW)
    assert other.id != first.id


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"purpose": " "}, Invalid, "input.missing"),
        ({"context": ""}, Invalid, "input.missing"),
        ({"idempotency_key": ""}, Invalid, "input.missing"),
        ({"receiver_login": "checker-a"}, Denied, "egress.receiver"),
        ({"receiver_login": "ghost"}, NotFound, "account.unknown"),
        ({"workspace_id": "w-other"}, NotFound, "workspace.unknown"),
        ({"request_id": "e-none"}, NotFound, "egress.unknown"),
    ],
    ids=str,
)
def test_a_form_that_cannot_be_is_refused_with_its_own_code(shared, changes, error, code):
    with pytest.raises(error) as refused:
        submit(shared, shared.usual(), **changes)
    assert refused.value.code == code


def test_files_must_be_there_named_once_and_checked_as_they_are(shared):
    project_id, file = shared.usual(), shared.checked()
    forged = replace(file, report=replace(file.report, sha256="0" * 64))
    for files in ([], [file, file], [forged], [shared.checked(str(n), f"{n}.csv") for n in range(101)]):
        with pytest.raises(Invalid) as refused:
            egress.submit(
                shared.store, shared.actor("scientist"), submission=shared.submission(project_id, files=files), now=NOW
            )
        assert refused.value.code == "egress.files"


def test_a_preflight_says_the_same_and_asks_for_nothing(shared):
    project_id = shared.usual()
    before = queries.mine(shared.store, shared.actor("scientist"), now=NOW, limit=1000)
    files = [shared.checked(), shared.checked("수\n3\n", "small.csv", block=True)]
    said = egress.preflight(shared.store, shared.actor("scientist"), project_id=project_id, files=files, now=NOW)
    assert said.verdict is Verdict.BLOCK
    assert queries.mine(shared.store, shared.actor("scientist"), now=NOW, limit=1000) == before


def test_a_request_with_a_blocked_file_can_be_returned_or_rejected_but_not_approved(shared):
    made = submit(shared, shared.usual(), shared.checked("수\n3\n", block=True)).id
    with pytest.raises(Denied) as refused:
        shared.vote("checker-a", made)
    assert refused.value.code == "egress.blocked-file"
    assert shared.vote("checker-a", made, Decision.RETURN).state is RequestState.RETURNED


@pytest.mark.parametrize("empty", ["purpose_relation", "identifiability", "safety_measures"])
@pytest.mark.parametrize("decision", Decision)
def test_every_decision_needs_all_three_judgements(shared, empty, decision):
    made = shared.submitted(shared.usual())
    with pytest.raises(Invalid) as refused:
        shared.vote("checker-a", made, decision, judgements=replace(JUDGEMENTS, **{empty: "  "}))
    assert refused.value.code == "egress.judgement-missing"
    assert view(shared, made).reviews == ()


def test_a_reason_outside_the_list_is_refused(shared):
    made = shared.submitted(shared.usual())
    with pytest.raises(Invalid) as refused:
        shared.vote("checker-a", made, reason_code="because")
    assert refused.value.code == "egress.reason-code"


def test_a_vote_on_what_was_shown_before_the_files_changed_does_not_count(shared):
    project_id = shared.usual()
    made = shared.submitted(project_id)
    seen = shared.ballot(made)
    shared.vote("checker-b", made, Decision.RETURN)
    submit(shared, project_id, shared.checked("연령,수\n50대,60\n"), request_id=made)
    with pytest.raises(Conflict) as refused:
        reviewing.decide(shared.store, shared.actor("checker-a"), request_id=made, vote=seen, now=NOW)
    assert refused.value.code == "egress.content-changed"


def test_approvals_of_an_earlier_round_do_not_carry_over(shared):
    project_id = shared.usual()
    made = shared.submitted(project_id)
    shared.vote("checker-a", made)
    shared.vote("checker-b", made, Decision.RETURN)
    again = submit(shared, project_id, shared.checked("연령,수\n50대,61\n"), request_id=made)
    assert (again.round, again.reviews_in, again.state) == (2, 0, RequestState.SUBMITTED)
    assert shared.vote("checker-b", made).state is RequestState.SUBMITTED
    assert shared.vote("checker-a", made).state is RequestState.APPROVED


def test_the_same_files_again_are_a_new_round_that_needs_new_votes(shared):
    project_id, file = shared.usual(), shared.checked("연령,수\n60대,70\n")
    made = shared.submitted(project_id, file)
    shared.vote("checker-a", made)
    shared.vote("checker-b", made, Decision.RETURN)
    again = submit(shared, project_id, file, request_id=made, purpose="논문 표 2", context="연령대별 환자 수")
    assert (again.reviews_in, again.round) == (0, 2)
    assert len(again.earlier_files) == len(again.files) == 1


def test_a_request_that_was_not_returned_takes_no_new_round(shared):
    project_id = shared.usual()
    made = shared.submitted(project_id)
    with pytest.raises(Conflict):
        submit(shared, project_id, request_id=made)


def test_nobody_continues_somebody_elses_request(shared):
    project_id = shared.usual()
    made = shared.submitted(project_id)
    shared.vote("checker-a", made, Decision.RETURN)
    form = shared.submission(project_id, request_id=made)
    with pytest.raises(Denied) as refused:
        egress.submit(shared.store, shared.actor("lead"), submission=form, now=NOW)
    assert refused.value.code == "egress.not-requester"


def test_a_request_does_not_wander_into_another_project(shared):
    first, second = shared.active(), shared.active()
    made = shared.submitted(first)
    shared.vote("checker-a", made, Decision.RETURN)
    with pytest.raises(Conflict):
        submit(shared, second, request_id=made)


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("scientist", "role.missing"),
        ("lead", "role.missing"),
        ("checker-own", "egress.own-organisation"),
        ("steward-a", "role.missing"),
        ("operator", "role.missing"),
    ],
)
def test_who_may_not_decide_is_told_why(shared, login, code):
    with pytest.raises(Denied) as refused:
        shared.vote(login, shared.submitted(shared.usual()))
    assert refused.value.code == code


def test_two_checkers_of_one_organisation_are_one_voice(shared):
    made = shared.submitted(shared.usual())
    shared.vote("checker-a", made)
    with pytest.raises(Denied) as refused:
        shared.vote("checker-a2", made)
    assert refused.value.code == "egress.two-organisations"


def test_a_checker_reviews_blind_until_having_voted_and_the_requester_until_the_decision(shared):
    made = shared.submitted(shared.usual())
    shared.vote("checker-a", made)
    seen = {login: len(view(shared, made, login).reviews) for login in ("checker-a", "checker-b", "scientist")}
    assert seen == {"checker-a": 1, "checker-b": 0, "scientist": 0}
    shared.vote("checker-b", made)
    assert {len(view(shared, made, login).reviews) for login in ("checker-a", "checker-b", "scientist")} == {2}


def test_the_queue_holds_what_one_may_decide_longest_waiting_first(shared):
    project_id = shared.active()
    first, second = shared.submitted(project_id), shared.submitted(project_id)
    shared.vote("checker-a", first)

    def waiting(login: str) -> list[str]:
        found = queries.queue(shared.store, shared.actor(login), now=NOW, limit=10_000)
        return [each.id for each in found if each.id in {first, second}]

    assert waiting("checker-b") == sorted([first, second])
    assert waiting("checker-a") == waiting("checker-a2") == [second]
    assert waiting("checker-own") == []
    with pytest.raises(Denied):
        queries.queue(shared.store, shared.actor("scientist"), now=NOW)


def test_earlier_requests_of_the_project_are_shown_to_whoever_reviews(shared):
    project_id = shared.active()
    first = shared.submitted(project_id)
    form = shared.submission(project_id)
    later = NOW + timedelta(hours=1)
    second = egress.submit(shared.store, shared.actor("scientist"), submission=form, now=later).id
    found = queries.earlier(shared.store, shared.actor("checker-a"), second, now=later)
    assert [each.id for each in found] == [first]


def test_strangers_do_not_see_a_request(shared):
    made = shared.submitted(shared.usual())
    for login in ("other-lead", "nobody", "owner", "operator", "checker-own", "steward-b"):
        with pytest.raises(Denied):
            view(shared, made, login)


def test_looking_into_a_file_is_recorded_with_its_hash(shared):
    made = shared.submitted(shared.usual())
    (file,) = view(shared, made).files
    with shared.new_entries() as entries:
        egress.view_file(shared.store, shared.actor("checker-a"), request_id=made, file_id=file.id, now=NOW)
    assert [(e["action"], e["actor"]["id"], e["object"]["sha256"]) for e in entries] == [
        ("egress.view", "u-checker-a", file.sha256)
    ]
    with pytest.raises(NotFound):
        egress.view_file(shared.store, shared.actor("checker-a"), request_id=made, file_id="f-none", now=NOW)


def test_return_request_takes_only_a_vote_to_return(shared):
    made = shared.submitted(shared.usual())
    actor = shared.actor("checker-a")
    with pytest.raises(ValueError, match="vote to return"):
        reviewing.return_request(shared.store, actor, request_id=made, vote=shared.ballot(made), now=NOW)
    vote = shared.ballot(made, Decision.RETURN, reason_code="small-cell")
    returned = reviewing.return_request(shared.store, actor, request_id=made, vote=vote, now=NOW)
    assert (returned.state, returned.decided_reason) == (RequestState.RETURNED, "small-cell")


def test_a_vote_whose_caster_lost_the_right_since_no_longer_counts(database_url, tmp_path):
    scene = build(database_url, tmp_path / "home")
    made = scene.submitted(scene.active())
    scene.vote("checker-a", made)
    people.revoke_role(
        scene.store, Actor.console(), login="checker-a", role=Role.OUTPUT_CHECKER, reason="이해충돌", now=NOW
    )
    assert scene.vote("checker-b", made).state is RequestState.SUBMITTED
    assert scene.vote("checker-c", made).state is RequestState.APPROVED
    scene.store.close()


def test_judgements_stay_in_the_database_and_their_hash_in_the_log(shared):
    made = shared.submitted(shared.usual())
    told = Judgements("환자 홍길동의 자료", "없음", "있음")
    with shared.new_entries() as entries:
        shared.vote("checker-a", made, judgements=told)
    assert view(shared, made, "checker-a").reviews[0].purpose_relation == "환자 홍길동의 자료"
    assert "홍길동" not in str(entries)
    assert len(entries[0]["details"]["judgements_sha256"]) == 64
