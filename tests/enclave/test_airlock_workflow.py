"""The airlock step by step: groups, blind review, partial release, comments, conflicts, recall, heirs, time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from enclave import workdays
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import drafts, egress, people, release, reviewing, upkeep
from enclave.commands.acting import intent
from enclave.commands.content import FileNote, Group
from enclave.commands.details import Details, Transfer
from enclave.commands.sighting import record_shown
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.queries import egress as queries
from enclave.roles import Role
from enclave.states import (
    Audience,
    Decision,
    Direction,
    FileDecision,
    FileRole,
    FileVote,
    Phase,
    ReleaseState,
    RequestState,
)
from tests.enclave.scene import NOW, Scene

TRANSFER = Transfer(
    basis="28-8-1-1", receiver="ACME Inc.", items="집계표", period="1년", refusal="서면", cpo_approval="CPO-2026-1"
)


def view(scene: Scene, made: str, login: str = "scientist", now=NOW):
    return queries.request(scene.store, scene.actor(login, now=now), made, now=now)


def two_files(scene: Scene, **changes) -> str:
    files = [scene.checked("연령,수\n40대,51\n", "표1.csv"), scene.checked("성별,수\nF,60\n", "표2.csv")]
    files.append(scene.checked("설명", "설명.txt"))
    fields = {
        "groups": (Group("첫째", "연령대별", "10 미만 가림"), Group("둘째", "성별", "반올림")),
        "notes": {
            "표1.csv": FileNote(group="첫째", description="연령대별 환자 수", subjects=51, smallest_cell=51),
            "표2.csv": FileNote(group="둘째"),
            "설명.txt": FileNote(group="둘째", role=FileRole.SUPPORTING),
        },
    }
    return scene.submitted(scene.usual(), *files, **{**fields, **changes})


def ids(scene: Scene, made: str) -> dict[str, str]:
    return {file.name: file.id for file in view(scene, made).files}


def split_vote(scene: Scene, made: str) -> dict[str, str]:
    """Two reviewers: the first approves both tables, the second only the first table."""
    named = ids(scene, made)
    scene.vote("checker-a", made)
    scene.vote("checker-b", made, votes={named["표2.csv"]: FileVote.CHANGES}, comment="반올림이 빠졌습니다.")
    return named


def seen(scene: Scene, made: str) -> tuple[int, str]:
    found = view(scene, made)
    return found.round, found.content_sha256


def refusal(act) -> str:
    with pytest.raises(EnclaveError) as refused:
        act()
    return refused.value.code


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_files_stand_in_groups_with_their_role_and_what_is_said_about_them(shared):
    found = view(shared, two_files(shared))
    groups = {each.id: each.name for each in found.groups}
    assert {(file.name, groups[file.group_id], file.role) for file in found.files} == {
        ("표1.csv", "첫째", "output"),
        ("표2.csv", "둘째", "output"),
        ("설명.txt", "둘째", "supporting"),
    }
    first = next(file for file in found.files if file.name == "표1.csv")
    assert (first.description, first.subjects, first.smallest_cell) == ("연령대별 환자 수", 51, 51)


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": (Group("하나", "설명", ""),)},
        {"groups": (Group("하나", "", "통제"),)},
        {"groups": (Group("하나", "설명", "통제"), Group("하나", "설명", "통제"))},
        {"notes": {"없음.csv": FileNote()}},
        {"notes": {"표1.csv": FileNote(group="없음")}},
        {"notes": {"표1.csv": FileNote(role=FileRole.SUPPORTING), "표2.csv": FileNote(role=FileRole.CODE),
                   "설명.txt": FileNote(role=FileRole.SUPPORTING)}},
    ],
    ids=str,
)  # fmt: skip
def test_groups_and_roles_that_cannot_be_are_refused(shared, changes):
    assert refusal(lambda: two_files(shared, **{"groups": (), "notes": {}, **changes})) == "egress.files"


def test_a_file_that_another_names_as_its_code_is_code_and_does_not_leave(shared):
    table, script = shared.checked(name="table.csv"), shared.checked("print(1)", "make.py")
    table = replace(table, file=replace(table.file, code="make.py"))
    made = shared.submitted(shared.usual(), table, script)
    assert {file.name: file.role for file in view(shared, made).files} == {"table.csv": "output", "make.py": "code"}
    shared.run_code_again(made)
    shared.vote("checker-a", made)
    shared.vote("checker-b", made)
    assert {file.name: file.passed for file in view(shared, made).files} == {"table.csv": True, "make.py": None}


def test_an_output_is_not_approved_before_its_code_was_on_the_screen(shared):
    """That a file came out again from its code says nothing of what the code does."""
    table, script = shared.checked(name="table.csv"), shared.checked("print(1)", "make.py")
    table = replace(table, file=replace(table.file, code="make.py"))
    form = shared.submission(shared.usual(), table, script)
    made = egress.submit(shared.store, shared.actor("scientist"), submission=form, now=NOW).id
    shared.run_code_again(made)
    files = {file.name: file.id for file in view(shared, made).files}
    actor = shared.actor("checker-a")
    record_shown(shared.store, actor, request_id=made, file_id=files["table.csv"], units=1, now=NOW)
    assert refusal(lambda: shared.vote("checker-a", made, look=False)) == "egress.not-shown"
    record_shown(shared.store, actor, request_id=made, file_id=files["make.py"], units=1, now=NOW)
    shared.vote("checker-a", made, look=False)


def test_while_code_is_run_again_it_waits_in_the_queue_and_may_be_sent_back_but_not_reviewed(shared):
    table, script = shared.checked(name="table.csv"), shared.checked("print(1)", "make.py")
    table = replace(table, file=replace(table.file, code="make.py"))
    made = shared.submitted(shared.usual(), table, script)
    assert {"return", "reject"} <= view(shared, made, "checker-a").may
    assert {"review", "conclude"}.isdisjoint(view(shared, made, "checker-a").may)
    assert refusal(lambda: shared.vote("checker-a", made)) == "rerun.waiting"
    waiting = queries.queue(shared.store, shared.actor("checker-a"), now=NOW, limit=1000)
    assert made in {row.id for row in waiting}
    shared.run_code_again(made)
    assert "review" in view(shared, made, "checker-a").may
    [output] = [file for file in view(shared, made, "checker-a").files if file.role == "output"]
    assert [each.kind for each in output.evidence] == ["rerun"]
    shared.vote("checker-a", made, Decision.RETURN)


@pytest.mark.parametrize("part", ["purpose", "notes", "groups", "details", "recipe", "role"])
def test_whatever_a_reviewer_reads_is_in_the_hash(shared, part):
    file = shared.checked()
    plain = shared.submission("p", file).content("u")
    form = {
        "purpose": {"purpose": "다른 목적"},
        "notes": {"notes": {"table.csv": FileNote(description="다른 설명")}},
        "groups": {"groups": (Group("묶음", "설명", "통제"),)},
        "details": {"details": Details(retention="3년")},
        "role": {"notes": {"table.csv": FileNote(role=FileRole.SUPPORTING)}},
        "recipe": {},
    }[part]
    files = [replace(file, file=replace(file.file, recipe="{}"))] if part == "recipe" else [file]
    assert shared.submission("p", *files, **form).content("u").sha256() != plain.sha256()


@pytest.mark.parametrize("missing", ["basis", "receiver", "items", "period", "refusal", "cpo_approval"])
def test_a_receiver_abroad_needs_the_whole_transfer_block_and_a_committee(shared, missing):
    broken = Details(receiver_country="US", transfer=replace(TRANSFER, **{missing: ""}))
    assert refusal(lambda: shared.submitted(shared.usual(), details=broken)) == "egress.overseas"
    assert (
        refusal(lambda: shared.submitted(shared.usual(), details=Details(receiver_country="US"))) == "egress.overseas"
    )
    assert refusal(lambda: shared.submitted(shared.usual(), details=Details(receiver_country="k"))) == "egress.country"
    made = shared.submitted(shared.usual(), details=Details(receiver_country="US", transfer=TRANSFER))
    assert view(shared, made).reviewers_needed == 3


def test_a_draft_is_kept_seen_by_its_project_alone_and_becomes_a_request(shared):
    project_id = shared.active()
    author = shared.actor("scientist")
    draft = drafts.Draft(purpose="초안", files=("table.csv",))
    made = drafts.save_draft(shared.store, author, project_id=project_id, draft=draft, now=NOW)
    assert (made.state, made.round, made.phase) == (RequestState.DRAFT, 0, Phase.AUTHOR)
    assert made.may == {"save", "submit", "withdraw", "reassign"}
    for login in ("checker-a", "operator", "auditor"):
        assert refusal(lambda login=login: view(shared, made.id, login)).endswith(("not-member", "missing"))
    thrown = drafts.save_draft(shared.store, author, project_id=project_id, draft=draft, now=NOW).id
    egress.withdraw(shared.store, author, request_id=thrown, now=NOW)
    assert refusal(lambda: view(shared, thrown, "checker-a")) == "project.not-member"
    again = replace(draft, context="더 적음")
    assert (
        drafts.save_draft(shared.store, author, project_id=project_id, draft=again, now=NOW, request_id=made.id).draft[
            "context"
        ]
        == "더 적음"
    )
    sent = egress.submit(shared.store, author, submission=shared.submission(project_id, request_id=made.id), now=NOW)
    assert (sent.id, sent.state, sent.round, sent.draft) == (made.id, RequestState.SUBMITTED, 1, None)


def test_an_import_goes_through_the_same_machine_and_makes_no_package(shared):
    made = shared.submitted(shared.usual(), direction=Direction.IMPORT)
    with shared.new_entries() as entries:
        shared.vote("checker-a", made)
        shared.vote("checker-b", made)
    found = view(shared, made)
    assert (found.state, found.direction, found.release) == (RequestState.APPROVED, Direction.IMPORT, None)
    assert [entry["action"] for entry in entries] == ["import.approve", "import.approve"]


# -- judging ----------------------------------------------------------------------------------------------------------


def test_reviewers_are_blind_until_all_needed_reviews_are_in_and_the_author_until_the_decision(shared):
    made = two_files(shared)
    named = ids(shared, made)
    shared.vote("checker-a", made, votes={named["표1.csv"]: FileVote.CHANGES}, comment="칸이 작습니다.")
    for login in ("checker-b", "scientist", "auditor"):
        found = view(shared, made, login)
        assert (found.phase, found.reviews, found.comments) == (Phase.INDEPENDENT, (), ())
        assert {file.decision for file in found.files} == {FileDecision.INCOMPLETE, None}
        assert found.reviews_in == 1
    own = view(shared, made, "checker-a")
    assert [each.reviewer_login for each in own.reviews] == ["checker-a"]
    assert {file.name: file.my_vote for file in own.files}["표1.csv"] is FileVote.CHANGES
    shared.vote("checker-b", made)
    for login in ("checker-a", "checker-b"):
        found = view(shared, made, login)
        assert (found.phase, len(found.reviews), len(found.comments)) == (Phase.CONSOLIDATING, 2, 1)
        assert {file.name: file.decision for file in found.files}["표1.csv"] is FileDecision.CONFLICTED
    for login in ("checker-c", "scientist"):
        found = view(shared, made, login)
        assert (found.reviews, found.comments) == ((), ())
        assert FileDecision.CONFLICTED not in {file.decision for file in found.files}


def test_what_all_approve_leaves_what_one_does_not_stays_and_the_author_never_learns_who(shared):
    made = two_files(shared)
    split_vote(shared, made)
    assert view(shared, made, "checker-b").may >= {"revise", "conclude", "return", "reject"}
    concluded = reviewing.conclude(
        shared.store, shared.actor("checker-b"), request_id=made, seen=seen(shared, made), now=NOW
    )
    assert concluded.state is RequestState.APPROVED
    release.build(shared.store, shared.depot, release_id=concluded.release.id, now=NOW)
    found = view(shared, made)
    assert {file.name: file.passed for file in found.files} == {"표1.csv": True, "표2.csv": False, "설명.txt": None}
    assert {file.name: file.decision for file in found.files}["표2.csv"] is FileDecision.CHANGES
    assert found.reviews == ()
    assert [each.text for each in found.comments] == ["반올림이 빠졌습니다."]


def test_nothing_approved_lets_nothing_out(shared):
    made = two_files(shared)
    shared.vote("checker-a", made, Decision.CHANGES, comment="둘 다 고치세요.")
    shared.vote("checker-b", made)
    with pytest.raises(Denied) as refused:
        reviewing.conclude(shared.store, shared.actor("checker-a"), request_id=made, seen=seen(shared, made), now=NOW)
    assert refused.value.code == "egress.nothing-approved"
    assert "conclude" not in view(shared, made, "checker-a").may


def test_a_revised_review_keeps_what_it_said_before_and_can_make_it_unanimous(shared):
    made = two_files(shared)
    split_vote(shared, made)
    with shared.new_entries() as entries:
        shared.vote("checker-b", made)
    assert [entry["action"] for entry in entries] == ["egress.revise", "release.requested"]
    found = view(shared, made, "checker-b")
    assert found.state is RequestState.APPROVED
    assert {each.reviewer_login: each.revisions for each in found.reviews} == {"checker-a": 0, "checker-b": 1}
    with shared.store.read() as session:
        kept = session.execute(text("SELECT content FROM review_revision")).scalars().all()
    assert any("changes" in str(each) for each in kept)


def test_nobody_revises_before_all_are_in_or_what_they_did_not_review(shared):
    made = shared.submitted(shared.usual())
    shared.vote("checker-a", made)
    assert refusal(lambda: shared.vote("checker-a", made)) == "egress.still-blind"
    made = two_files(shared)
    split_vote(shared, made)
    conclude = lambda login: reviewing.conclude(  # noqa: E731
        shared.store, shared.actor(login), request_id=made, seen=seen(shared, made), now=NOW
    )
    assert refusal(lambda: conclude("checker-c")) == "egress.not-reviewer"
    assert refusal(lambda: shared.vote("checker-c", made)) == "egress.enough-reviews"
    assert refusal(lambda: shared.vote("checker-c", made, Decision.RETURN)) == "egress.not-reviewer"


def test_concluding_needs_a_fresh_second_factor_and_the_page_that_was_read(shared):
    made = two_files(shared)
    split_vote(shared, made)
    stale = shared.actor("checker-a", fresh=False)
    looked = seen(shared, made)
    act = lambda actor, at: reviewing.conclude(shared.store, actor, request_id=made, seen=at, now=NOW)  # noqa: E731
    assert refusal(lambda: act(stale, looked)) == "second-factor.stale"
    assert refusal(lambda: act(shared.actor("checker-a"), (looked[0], "0" * 64))) == "egress.content-changed"


def test_a_return_says_to_each_group_what_to_mend(shared):
    made = two_files(shared)
    groups = {each.name: each.id for each in view(shared, made).groups}
    only_one = {groups["첫째"]: "칸이 작습니다."}
    assert (
        refusal(lambda: shared.vote("checker-a", made, Decision.RETURN, comment="", comments=only_one))
        == "egress.comment-missing"
    )
    named = ids(shared, made)
    shared.vote(
        "checker-a",
        made,
        Decision.RETURN,
        comment="",
        comments=only_one,
        votes={named["표2.csv"]: FileVote.APPROVE},
    )
    found = view(shared, made)
    assert (found.state, [each.text for each in found.comments]) == (RequestState.RETURNED, ["칸이 작습니다."])


def test_the_next_round_shows_what_changed_and_needs_new_words(shared):
    made = two_files(shared)
    shared.vote("checker-a", made, Decision.RETURN)
    files = [shared.checked("연령,수\n40대,51\n", "표1.csv"), shared.checked("성별,수\nF,61\n", "표2.csv")]
    files.append(shared.checked("새것,수\n가,70\n", "표3.csv"))
    form = shared.submission(shared.usual(), *files, request_id=made)
    again = egress.submit(shared.store, shared.actor("scientist"), submission=form, now=NOW)
    assert {each.name: each.change for each in again.changes} == {
        "표1.csv": "same",
        "표2.csv": "changed",
        "표3.csv": "added",
        "설명.txt": "removed",
    }
    assert (again.reviews_in, [each.ended_as for each in again.rounds]) == (0, [RequestState.RETURNED, None])


def test_blocked_files_need_a_committee_of_three_organisations_who_each_say_why(shared):
    made = shared.submitted(shared.usual(), shared.checked("수\n3\n", block=True))
    assert view(shared, made).reviewers_needed == 3
    assert refusal(lambda: shared.vote("checker-a", made)) == "egress.blocked-file"
    for login in ("checker-a", "checker-b"):
        assert shared.vote(login, made, override_reason="공개된 통계와 같음").state is RequestState.SUBMITTED
    assert refusal(lambda: shared.vote("checker-a2", made, override_reason="나도")) == "egress.two-organisations"
    assert shared.vote("checker-c", made, override_reason="위원회 합의").state is RequestState.APPROVED


def test_a_declared_conflict_excludes_its_checker_and_what_they_said(shared):
    made = shared.submitted(shared.usual())
    shared.vote("checker-a", made)
    actor = shared.actor("checker-a")
    reviewing.declare_conflict(shared.store, actor, request_id=made, reason="공동 연구자", now=NOW)
    assert refusal(lambda: view(shared, made, "checker-a")) == "egress.conflict"
    assert view(shared, made, "checker-b").conflicted == ("checker-a",)
    assert shared.vote("checker-b", made).state is RequestState.SUBMITTED
    # Their organisation's place is free again.
    assert shared.vote("checker-a2", made).state is RequestState.APPROVED


# -- comments ---------------------------------------------------------------------------------------------------------


def remark(scene: Scene, made: str, login: str, said: str, audience=Audience.PUBLIC, group_id=None):
    return reviewing.comment(
        scene.store,
        scene.actor(login),
        request_id=made,
        text=said,
        audience=audience,
        group_id=group_id,
        now=NOW,
    )


def test_comments_between_checkers_never_reach_the_author_and_public_ones_after_the_decision(shared):
    made = shared.submitted(shared.usual())
    remark(shared, made, "checker-a", "우리끼리", Audience.CHECKERS)
    remark(shared, made, "checker-a", "고쳐 주세요")
    remark(shared, made, "scientist", "무엇을요?")
    assert [each.text for each in view(shared, made).comments] == ["무엇을요?"]
    shared.vote("checker-b", made, Decision.RETURN, comment="반려 대신 보완")
    assert {each.text for each in view(shared, made).comments} == {"고쳐 주세요", "무엇을요?", "반려 대신 보완"}
    assert len(view(shared, made, "checker-c").comments) == 4
    assert refusal(lambda: remark(shared, made, "scientist", "몰래", Audience.CHECKERS)) == "egress.audience"
    assert refusal(lambda: remark(shared, made, "checker-a", "어디", group_id="o-none")) == "egress.no-group"
    assert refusal(lambda: remark(shared, made, "checker-a", " ")) == "input.missing"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM request_comment",
        "UPDATE request_comment SET text = 'x'",
        "DELETE FROM conflict_of_interest",
        "UPDATE review_revision SET number = 7",
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_what_was_said(scene, statement):
    made = two_files(scene)
    split_vote(scene, made)
    scene.vote("checker-b", made)
    other = scene.submitted(scene.usual())
    reviewing.declare_conflict(scene.store, scene.actor("checker-c"), request_id=other, reason="친족", now=NOW)
    with (
        pytest.raises((DBAPIError, EnclaveError)),
        scene.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "forged"))) as tx,
    ):
        tx.session.execute(text(statement))


# -- who goes on ------------------------------------------------------------------------------------------------------


def test_a_request_whose_author_left_goes_on_with_another_member(scene):
    made = scene.submitted(scene.active())
    lead = scene.actor("lead")
    hand = lambda actor, login: egress.reassign(  # noqa: E731
        scene.store, actor, request_id=made, login=login, reason="퇴사", now=NOW
    )
    assert refusal(lambda: hand(lead, "colleague")) == "egress.not-requester"
    people.end_account(scene.store, Actor.console(), login="scientist", reason="퇴사", now=NOW)
    assert refusal(lambda: hand(lead, "other-lead")) == "egress.heir"
    assert refusal(lambda: hand(scene.actor("colleague"), "colleague")) == "role.missing"
    assert hand(lead, "colleague").requester_login == "colleague"
    scene.vote("checker-a", made, Decision.RETURN)
    colleague = scene.actor("colleague")
    assert "submit" in view(scene, made, "colleague").may
    form = scene.submission(view(scene, made, "colleague").project_id, request_id=made)
    assert egress.submit(scene.store, colleague, submission=form, now=NOW).round == 2


def test_an_operator_may_take_back_what_nobody_of_the_project_can(scene):
    made = scene.submitted(scene.active())
    for login in ("scientist", "lead", "colleague"):
        people.end_account(scene.store, Actor.console(), login=login, reason="폐업", now=NOW)
    assert (
        refusal(
            lambda: egress.reassign(
                scene.store, Actor.console(), request_id=made, login="colleague", reason="r", now=NOW
            )
        )
        == "egress.no-heir"
    )
    assert egress.withdraw(scene.store, Actor.console(), request_id=made, now=NOW).state is RequestState.WITHDRAWN


def test_an_approval_that_no_longer_carries_is_not_built_and_can_be_reopened(scene):
    made = scene.approved_request(scene.active())
    named = view(scene, made).release.id
    reopen = lambda: reviewing.reopen(scene.store, scene.actor("checker-c"), request_id=made, now=NOW)  # noqa: E731
    assert refusal(reopen) == "egress.still-carried"
    people.revoke_role(scene.store, Actor.console(), login="checker-a", role=Role.OUTPUT_CHECKER, reason="r", now=NOW)
    with pytest.raises(Denied):
        release.build(scene.store, scene.depot, release_id=named, now=NOW)
    found = reopen()
    assert (found.state, found.release.state) == (RequestState.SUBMITTED, ReleaseState.CANCELLED)
    assert scene.vote("checker-c", made).state is RequestState.APPROVED
    assert release.build(scene.store, scene.depot, release_id=named, now=NOW).state is ReleaseState.DONE


def test_an_author_may_take_back_what_is_approved_until_it_is_built(shared):
    made = shared.approved_request(shared.usual())
    named = view(shared, made).release.id
    found = egress.withdraw(shared.store, shared.actor("scientist"), request_id=made, now=NOW)
    assert (found.state, found.release.state) == (RequestState.WITHDRAWN, ReleaseState.CANCELLED)
    with pytest.raises(Conflict):
        release.build(shared.store, shared.depot, release_id=named, now=NOW)


# -- recall -----------------------------------------------------------------------------------------------------------


def handed_over(scene: Scene) -> str:
    named = view(scene, scene.approved_request(scene.usual())).release.id
    release.build(scene.store, scene.depot, release_id=named, now=NOW)
    release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=named, now=NOW)
    return named


def recall(scene: Scene, named: str):
    return release.recall(
        scene.store, scene.depot, scene.actor("checker-c"), release_id=named, reason="재식별 신고", now=NOW
    )


def test_a_recall_lists_its_receivers_and_says_who_is_late_to_confirm(shared):
    named = handed_over(shared)
    recalled = recall(shared, named)
    assert [(each.login, each.confirmed_at, each.overdue) for each in recalled.receipts] == [("scientist", None, False)]
    late = workdays.after(NOW, 3) + timedelta(seconds=1)
    waiting = queries.unconfirmed_recalls(shared.store, shared.actor("auditor", now=late), now=late)
    assert next(each for each in waiting if each.id == named).receipts[0].overdue
    mine = queries.release(shared.store, shared.actor("scientist"), named, now=NOW)
    assert mine.may == {"confirm_recall"}
    say = lambda login, said: release.confirm_recall(  # noqa: E731
        shared.store, shared.actor(login), release_id=named, statement=said, now=NOW
    )
    assert refusal(lambda: say("lead", "없음")) == "release.nothing-to-confirm"
    assert refusal(lambda: say("scientist", " ")) == "input.missing"
    assert say("scientist", "모든 사본을 삭제했습니다.").receipts[0].confirmed_at == NOW
    assert refusal(lambda: say("scientist", "또")) == "release.nothing-to-confirm"
    assert queries.request(shared.store, shared.actor("lead"), recalled.request_id, now=NOW).state is (
        RequestState.RECALLED
    )


def test_a_recall_before_anybody_received_it_owes_no_confirmation(shared):
    named = view(shared, shared.approved_request(shared.usual())).release.id
    assert recall(shared, named).receipts == ()


# -- time -------------------------------------------------------------------------------------------------------------


def test_a_round_has_five_working_days_is_told_of_at_four_fifths_and_then_stands_among_the_stuck(scene):
    made = scene.submitted(scene.active())
    found = view(scene, made)
    assert (found.due_at, found.overdue) == (workdays.after(NOW, 5), False)
    early, late = workdays.after(NOW, 3.9), workdays.after(NOW, 4)
    assert queries.to_escalate(scene.store, now=early) == ()
    assert queries.to_escalate(scene.store, now=late) == (made,)
    with scene.new_entries() as entries:
        upkeep.escalate(scene.store, Actor.system(), request_id=made, now=late)
    assert [entry["action"] for entry in entries] == ["egress.escalate"]
    assert queries.to_escalate(scene.store, now=late) == ()
    checker = scene.actor("checker-a", now=late)
    assert [each.id for each in queries.stuck(scene.store, checker, now=late)] == [made]
    assert queries.stuck(scene.store, checker, now=early) == ()
    with pytest.raises(Denied):
        queries.stuck(scene.store, scene.actor("scientist"), now=late)
    assert view(scene, made, now=found.due_at).overdue


def test_the_author_sees_the_place_in_the_queue(scene):
    project_id = scene.active()
    first, second = scene.submitted(project_id), None
    form = scene.submission(project_id)
    second = egress.submit(scene.store, scene.actor("scientist"), submission=form, now=NOW + timedelta(minutes=1)).id
    assert [view(scene, made).queue_position for made in (first, second)] == [1, 2]
    assert view(scene, first, "checker-a").queue_position is None
    scene.vote("checker-a", first, Decision.REJECT)
    assert view(scene, second).queue_position == 1
    assert view(scene, first).queue_position is None


@pytest.mark.parametrize("state", ["draft", "returned", "approved", "uncollected"])
def test_what_nobody_goes_on_with_expires_and_its_key_is_destroyed(scene, state):
    project_id = scene.active()
    if state == "draft":
        made = drafts.save_draft(
            scene.store, scene.actor("scientist"), project_id=project_id, draft=drafts.Draft(), now=NOW
        ).id
    elif state == "returned":
        made = scene.submitted(project_id)
        scene.vote("checker-a", made, Decision.RETURN)
    else:
        made = scene.approved_request(project_id)
        if state == "uncollected":
            release.build(scene.store, scene.depot, release_id=view(scene, made).release.id, now=NOW)
    days = 7 if state == "uncollected" else 30
    before, after = NOW + timedelta(days=days, seconds=-1), NOW + timedelta(days=days)
    assert queries.idle(scene.store, now=before) == ()
    assert queries.idle(scene.store, now=after) == (made,)
    system = Actor.system()
    with pytest.raises(Denied):
        upkeep.expire(scene.store, scene.depot, system, request_id=made, now=before)
    found = upkeep.expire(scene.store, scene.depot, system, request_id=made, now=after)
    assert found.state is RequestState.EXPIRED
    if found.release is not None:
        assert found.release.state is ReleaseState.CANCELLED
        assert list(scene.depot.folder.iterdir()) == []


def test_nobody_but_the_system_closes_or_escalates(shared):
    made = shared.submitted(shared.usual())
    for login in ("scientist", "operator", "checker-a"):
        actor = shared.actor(login)
        assert (
            refusal(lambda actor=actor: upkeep.expire(shared.store, shared.depot, actor, request_id=made, now=NOW))
            == "egress.system-only"
        )
        with pytest.raises(Denied):
            upkeep.escalate(shared.store, actor, request_id=made, now=NOW)


def test_a_request_that_is_not_there_is_said_not_to_be(shared):
    for act in (
        lambda: reviewing.reopen(shared.store, shared.actor("checker-a"), request_id="e-none", now=NOW),
        lambda: upkeep.escalate(shared.store, Actor.system(), request_id="e-none", now=NOW),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):
        reviewing.declare_conflict(
            shared.store,
            shared.actor("checker-a"),
            request_id=shared.submitted(shared.usual()),
            reason=" ",
            now=NOW,
        )
