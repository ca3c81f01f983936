"""From approval to receiver: what was approved leaves, once, to the one person named."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.package import open_content
from enclave.commands import people, project, release
from enclave.commands.acting import intent
from enclave.errors import Conflict, Denied, Unavailable
from enclave.model.egress import AirlockRequest
from enclave.model.people import Account
from enclave.model.project import ProjectMember
from enclave.model.release import Release
from enclave.model.review import Review
from enclave.policy.airlock import who
from enclave.policy.ends import FrozenFacts
from enclave.queries import egress as queries
from enclave.queries.airlock_facts import facts
from enclave.roles import Role
from enclave.states import FreezeCause, ProjectState, ReleaseState, RequestState, WorkspaceState
from tests.enclave.scene import NOW, Scene


@pytest.fixture
def wish(shared: Scene) -> str:
    """A release that two checkers have asked for."""
    return _wish(shared)


def _wish(scene: Scene, *files) -> str:
    made = scene.submitted(scene.usual(), *files)
    scene.vote("checker-a", made)
    return scene.vote("checker-b", made).release.id


def build(scene: Scene, named: str, depot: release.Depot | None = None):
    return release.build(scene.store, depot or scene.depot, release_id=named, now=NOW)


def hand_over(scene: Scene, named: str, login: str = "scientist", now=NOW):
    actor = scene.actor(login, now=now)
    return release.hand_over(scene.store, scene.depot, actor, release_id=named, now=now)


def test_the_receiver_gets_exactly_the_approved_bytes(shared):
    files = [shared.checked("연령,수\n40대,51\n", "표 1.csv"), shared.checked("성별,수\nF,60\n", "표 2.csv")]
    named = _wish(shared, *files)
    done = build(shared, named)
    assert (done.state, done.expires_at) == (ReleaseState.DONE, NOW + timedelta(days=7))
    handed = hand_over(shared, named)
    with zipfile.ZipFile(io.BytesIO(b"".join(open_content(handed.path, handed.key)))) as archive:
        assert archive.read("표 1.csv").decode() == "연령,수\n40대,51\n"
        assert archive.read("표 2.csv").decode() == "성별,수\nF,60\n"
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["receiver"], manifest["request_id"]) == ("u-scientist", handed.release.request_id)
    assert queries.request(shared.store, shared.actor("lead"), done.request_id, now=NOW).state is RequestState.RELEASED


def test_until_then_the_package_is_unreadable_and_its_key_is_sealed(shared, wish):
    build(shared, wish)
    with shared.store.read() as session:
        found = session.get(Release, wish)
    data = (shared.depot.folder / found.package_path.rpartition("/")[2]).read_bytes()
    key = shared.vault.open(found.sealed_key, purpose=f"release:{wish}")
    assert b"PK\x03\x04" not in data
    assert key not in found.sealed_key
    with pytest.raises(Unavailable):
        shared.vault.open(found.sealed_key, purpose="release:r-other")


def test_it_is_handed_over_once(shared, wish):
    build(shared, wish)
    hand_over(shared, wish)
    with pytest.raises(Conflict):
        hand_over(shared, wish)


def test_it_is_not_handed_over_before_it_is_made_or_after_its_days(shared, wish):
    with pytest.raises(Conflict):
        hand_over(shared, wish)
    build(shared, wish)
    late = NOW + timedelta(days=7)
    assert queries.release(shared.store, shared.actor("scientist"), wish, now=late).may == set()
    with pytest.raises(Denied) as refused:
        hand_over(shared, wish, now=late)
    assert refused.value.code == "release.expired"


def test_only_the_named_receiver_collects_it(shared):
    project_id = shared.usual()
    made = shared.submitted(project_id, receiver_login="lead")
    shared.vote("checker-a", made)
    named = shared.vote("checker-b", made).release.id
    build(shared, named)
    with pytest.raises(Denied) as refused:
        hand_over(shared, named, "scientist")
    assert refused.value.code == "release.not-receiver"
    assert hand_over(shared, named, "lead").release.receiver_login == "lead"
    assert named in {each.id for each in queries.to_receive(shared.store, shared.actor("lead"), now=NOW)}


def test_a_package_changed_on_disk_is_not_handed_over_and_can_be_collected_once_it_is_whole(shared, wish):
    build(shared, wish)
    with shared.store.read() as session:
        path = shared.depot.folder / session.get(Release, wish).package_path.rpartition("/")[2]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with shared.new_entries() as entries, pytest.raises(Unavailable) as refused:
        hand_over(shared, wish)
    assert (refused.value.code, [e["outcome"] for e in entries]) == ("release.damaged", ["failed"])
    path.write_bytes(whole)
    assert hand_over(shared, wish).release.state is ReleaseState.HANDED_OVER


def test_a_file_that_left_quarantine_fails_the_release_with_its_code_and_a_retry_succeeds(shared):
    file = shared.checked("연령,수\n70대,71\n")
    named = _wish(shared, file)
    path = shared.depot.quarantine.path(file.file.sha256)
    hidden = path.rename(path.with_name("hidden"))
    with shared.new_entries() as entries:
        failed = build(shared, named)
    assert (failed.state, failed.failure) == (ReleaseState.FAILED, "airlock.missing")
    assert [(e["action"], e["outcome"], e["reason"]["code"]) for e in entries] == [
        ("release.failed", "failed", "airlock.missing")
    ]
    hidden.rename(path)
    assert build(shared, named).state is ReleaseState.DONE


def test_bytes_changed_in_quarantine_never_leave(shared):
    file = shared.checked("연령,수\n70대,72\n")
    named = _wish(shared, file)
    path = shared.depot.quarantine.path(file.file.sha256)
    path.write_bytes("연령,수\n70대,73\n".encode())
    failed = build(shared, named)
    assert (failed.state, failed.failure) == (ReleaseState.FAILED, "airlock.damaged")
    assert failed.package_sha256 is None


def test_a_depot_that_cannot_be_written_fails_the_release_in_words(shared, wish, tmp_path):
    nowhere = replace(shared.depot, folder=tmp_path / "none")
    assert build(shared, wish, nowhere).failure == "release.not-written"
    assert build(shared, wish).state is ReleaseState.DONE


def test_the_votes_are_counted_again_before_anything_is_packed(shared, wish):
    """Somebody with the database's password cannot make a state say what no two people said."""
    with shared.store.read() as session:
        request_id = session.get(Release, wish).request_id
    forged = intent(Action.HUB_EVENT, Actor.console(), ("test", "forged"))
    with shared.store.write(forged) as tx:
        votes = tx.session.scalars(select(Review).where(Review.request_id == request_id)).all()
        for vote in votes[0].votes:
            tx.session.delete(vote)
        tx.session.flush()
        tx.session.refresh(votes[0], ["votes"])
        tx.session.delete(votes[0])
    assert _state(shared, request_id) is RequestState.APPROVED
    with pytest.raises(Denied) as refused:
        build(shared, wish)
    assert refused.value.code == "egress.two-person"


def _state(scene: Scene, request_id: str) -> RequestState:
    with scene.store.read() as session:
        return session.get(AirlockRequest, request_id).state


def test_a_recall_destroys_the_key_and_the_package(shared, wish):
    build(shared, wish)
    with shared.store.read() as session:
        path = shared.depot.folder / session.get(Release, wish).package_path.rpartition("/")[2]
    assert path.exists()
    checker = shared.actor("checker-c")
    view = release.recall(shared.store, shared.depot, checker, release_id=wish, reason="오류 발견", now=NOW)
    assert (view.state, path.exists()) == (ReleaseState.RECALLED, False)
    with shared.store.read() as session:
        assert session.get(Release, wish).sealed_key is None
    with pytest.raises(Conflict):
        hand_over(shared, wish)
    with pytest.raises(Conflict):
        build(shared, wish)


def test_recalling_what_was_handed_over_says_so_in_the_log(shared, wish):
    build(shared, wish)
    hand_over(shared, wish)
    steward = shared.actor("steward-a")
    with shared.new_entries() as entries:
        release.recall(shared.store, shared.depot, steward, release_id=wish, reason="재식별 신고", now=NOW)
    assert [entry["details"]["was_handed_over"] for entry in entries] == [True]


def test_reaping_finishes_what_was_asked_for_and_removes_what_nobody_names(scene):
    wishes = [_wish(scene), _wish(scene)]
    build(scene, wishes[0])
    hidden = scene.depot.folder / f"{wishes[1]}-0000.ansim"
    hidden.write_bytes(b"half a package of a process that was killed")
    with scene.new_entries() as entries:
        settled = release.reap(scene.store, scene.depot, now=NOW)
    assert [(each.id, each.state) for each in settled] == [(wishes[1], ReleaseState.DONE)]
    assert not hidden.exists()
    assert [entry["action"] for entry in entries] == ["release.done", "release.reap"]
    assert entries[1]["details"] == {"failed": 0, "finished": 1, "packages_removed": 1}
    with scene.new_entries() as entries:
        assert release.reap(scene.store, scene.depot, now=NOW) == ()
    assert entries == []
    for each in wishes:
        assert hand_over(scene, each).release.state is ReleaseState.HANDED_OVER


def test_the_hand_over_is_recorded_with_receiver_reason_and_hash(shared, wish):
    done = build(shared, wish)
    with shared.new_entries() as entries:
        hand_over(shared, wish)
    (entry,) = entries
    assert (entry["actor"]["id"], entry["reason"]["code"]) == ("u-scientist", "approved")
    assert entry["object"] == {"id": wish, "kind": "release", "sha256": done.package_sha256}


def _changed(scene: Scene, change) -> None:
    with scene.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "changed"))) as tx:
        change(tx.session)


def _leaves(scene: Scene, request_id: str) -> None:
    def leave(session) -> None:
        project_id = session.get(AirlockRequest, request_id).project_id
        session.delete(session.get(ProjectMember, (project_id, "u-scientist")))

    _changed(scene, leave)


def _loses_its_checker(scene: Scene, request_id: str) -> None:
    people.revoke_role(
        scene.store, Actor.console(), login="checker-b", role=Role.OUTPUT_CHECKER, reason="퇴직", now=NOW
    )


def _checker_joins(scene: Scene, request_id: str) -> None:
    def join(session) -> None:
        project = session.get(AirlockRequest, request_id).project
        project.members.append(ProjectMember(account_id="u-checker-a", login="checker-a", added_at=NOW))

    _changed(scene, join)


def _project_ends(scene: Scene, request_id: str) -> None:
    lead, project_id = scene.actor("lead"), _request(scene, request_id).project_id
    project.end_project(scene.store, lead, project_id=project_id, reason="중단", now=NOW)


def _period_ends(scene: Scene, request_id: str) -> None:
    def end(session) -> None:
        session.get(AirlockRequest, request_id).project.ends_on = (NOW - timedelta(days=2)).date()

    _changed(scene, end)


def _loses_the_role(scene: Scene, request_id: str) -> None:
    people.revoke_role(scene.store, Actor.console(), login="scientist", role=Role.SCIENTIST, reason="퇴직", now=NOW)


def _is_locked(scene: Scene, request_id: str) -> None:
    def lock(session) -> None:
        session.get(Account, "u-scientist").locked_at = NOW

    _changed(scene, lock)


MEANWHILE = {
    "the receiver left the project": (_leaves, "project.not-member"),
    "the receiver may not use data any more": (_loses_the_role, "role.missing"),
    "the receiver is locked out": (_is_locked, "account.locked"),
    "the project was stopped": (_project_ends, "project.not-active"),
    "the period is over": (_period_ends, "project.expired"),
    "an approver lost the role": (_loses_its_checker, "release.not-carried"),
    "an approver joined the project": (_checker_joins, "release.not-carried"),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_what_changed_since_the_package_was_made_is_asked_at_the_hand_over_and_somebody_can_take_it_back(scene, case):
    happens, code = MEANWHILE[case]
    named = _wish(scene)
    request_id = build(scene, named).request_id
    receiver = scene.actor("scientist")
    assert "hand_over" in queries.release(scene.store, receiver, named, now=NOW).may
    happens(scene, request_id)
    with pytest.raises(Denied) as refused:
        release.hand_over(scene.store, scene.depot, receiver, release_id=named, now=NOW)
    assert refused.value.code == code
    taken = release.recall(scene.store, scene.depot, scene.actor("steward-a"), release_id=named, reason="무효", now=NOW)
    assert taken.state is ReleaseState.RECALLED


@pytest.mark.parametrize(
    ("cause", "days", "code"),
    [
        (FreezeCause.PERIOD, 3, ""),
        (FreezeCause.PERIOD, -1, "ends.grace-over"),
        (FreezeCause.INCIDENT, 3, "ends.held"),
    ],
)
def test_results_of_a_frozen_workspace_are_collected_in_its_grace_and_not_while_it_is_held(shared, cause, days, code):
    with shared.store.read() as session:
        about = facts(session.get(AirlockRequest, shared.approved_request(shared.usual())), NOW)
    frozen = FrozenFacts(WorkspaceState.FROZEN, "u-scientist", cause, NOW + timedelta(days=days), about.project)
    about = replace(about, frozen=frozen, project_state=ProjectState.ENDED)
    receiver = shared.actor("scientist")
    if not code:
        who.check_may_collect(receiver, about, NOW)
        return
    with pytest.raises(Denied) as refused:
        who.check_may_collect(receiver, about, NOW)
    assert refused.value.code == code


def _request(scene: Scene, request_id: str) -> AirlockRequest:
    with scene.store.read() as session:
        return session.get(AirlockRequest, request_id)
