"""Whether a workspace may open, and what its signed plan says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest

from enclave import keys
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import dataset, people, project, workspace
from enclave.commands.acting import intent
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound, Unavailable
from enclave.ids import new_id
from enclave.keys import load_public_key
from enclave.queries import workspace as queries
from enclave.queries.project import load_project
from enclave.roles import Role
from enclave.states import ColumnState, WorkspaceState
from enclave.workspace.plan import MountKind, PlanDamaged, verify_plan
from tests.enclave.scene import NOW, Scene, build

SYSTEM = Actor.system()


def start(scene: Scene, project_id: str | None, login: str = "scientist", now=NOW) -> workspace.Start:
    actor = scene.actor(login)
    return workspace.request_start(scene.store, scene.means, actor, project_id=project_id, now=now)


def _no_pledge(scene: Scene) -> str:
    made = scene.approved()
    scene.pledged(made, "lead")
    project.activate(scene.store, scene.actor("lead"), project_id=made, now=NOW)
    return made


def _no_columns(scene: Scene) -> str:
    """What no command brings about, and must be refused all the same."""
    made = scene.active()
    with scene.store.write(intent(Action.PROJECT_COLUMNS, Actor.console(), ("project", made))) as tx:
        for column in load_project(tx.session, made).columns:
            column.state = ColumnState.REJECTED
    return made


def _ended(scene: Scene) -> str:
    made = scene.active()
    project.end_project(scene.store, scene.actor("steward-a"), project_id=made, reason="중지", now=NOW)
    return made


def _frozen(scene: Scene) -> str:
    made = scene.active()
    opened = start(scene, made)
    workspace.freeze(
        scene.store, scene.actor("steward-a"), workspace_id=opened.workspace.id, reason="재식별 의심", now=NOW
    )
    return made


@pytest.mark.parametrize(
    ("prepare", "login", "days", "code"),
    [
        (Scene.active, "other-lead", 0, "project.not-member"),
        (Scene.active, "checker-a", 0, "project.not-member"),
        (_no_pledge, "scientist", 0, "workspace.no-pledge"),
        (Scene.approved, "scientist", 0, "project.not-active"),
        (_ended, "scientist", 0, "project.not-active"),
        (Scene.active, "scientist", 38, "project.expired"),
        (_no_columns, "scientist", 0, "workspace.no-columns"),
        (_frozen, "scientist", 0, "workspace.frozen"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_start_is_refused_with_the_reason_and_recorded(shared, prepare, login, days, code):
    made = prepare(shared)
    with shared.new_entries() as entries, pytest.raises(Denied) as refused:
        start(shared, made, login, NOW + timedelta(days=days))
    assert (refused.value.code, refused.value.status) == (code, 403)
    assert refused.value.remedy_ko
    recorded = [(entry["action"], entry["outcome"], entry["reason"]["code"]) for entry in entries]
    assert recorded == [("workspace.requested", "denied", code)]


def test_the_last_day_counts_to_its_end_in_korea(shared):
    made = shared.active(ends_on=date(2026, 12, 1))
    last_evening = NOW.replace(month=12, day=1, hour=14, minute=59)  # 23:59 in Seoul
    assert start(shared, made, now=last_evening).workspace.expires_at == last_evening + timedelta(minutes=1)
    with pytest.raises(Denied, match="기간이 끝났습니다"):
        start(shared, made, now=last_evening + timedelta(minutes=1))


def test_a_member_whose_role_was_taken_away_does_not_start(shared):
    made = shared.active()
    console = Actor.console()
    people.revoke_role(shared.store, console, login="scientist", role=Role.SCIENTIST, reason="r", now=NOW)
    try:
        with pytest.raises(Denied) as refused:
            start(shared, made)
        assert refused.value.code == "role.missing"
    finally:
        people.grant_role(shared.store, console, login="scientist", role=Role.SCIENTIST, reason="r", now=NOW)


def test_the_plan_is_signed_names_only_views_and_own_volumes_and_is_hashed_into_the_log(shared):
    made = shared.active()
    with shared.new_entries() as entries:
        opened = start(shared, made)
    public = load_public_key(shared.means.settings.plan_key.with_suffix(".pub"))
    plan = verify_plan(opened.plan, opened.signature, public)
    assert (plan.sha256, plan.workspace_id, plan.project_id) == (opened.plan_sha256, opened.workspace.id, made)
    assert (plan.login, plan.account_id, plan.image_id) == ("scientist", "u-scientist", shared.means.image_id)
    assert plan.expires_at == NOW + timedelta(minutes=shared.means.settings.plan_minutes)
    assert {mount.kind for mount in plan.mounts} == set(MountKind) - {MountKind.IMPORT, MountKind.PACKAGES}
    (entry,) = entries
    assert (entry["outcome"], entry["object"]["sha256"]) == ("allowed", plan.sha256)
    assert entry["subjects"] == {"count": 2, "kind": "pseudonymised"}
    with pytest.raises(PlanDamaged):
        verify_plan(opened.plan.replace(b"scientist", b"colleague"), opened.signature, public)


def test_only_the_approved_columns_are_in_the_mounted_folder(shared):
    made = shared.applied()
    steward, approve = shared.actor("steward-a"), {"patients": ("pid", "age")}
    project.decide_columns(
        shared.store, steward, project_id=made, dataset_id="set-a", approve=approve, reason="r", now=NOW
    )
    shared.pledged(made, "lead", "scientist")
    project.activate(shared.store, shared.actor("lead"), project_id=made, now=NOW)
    opened = start(shared, made)
    public = load_public_key(shared.means.settings.plan_key.with_suffix(".pub"))
    (view,) = [m for m in verify_plan(opened.plan, opened.signature, public).mounts if m.kind is MountKind.VIEW]
    (file,) = (shared.means.settings.views / view.sha256).iterdir()
    assert (view.target, file.name) == ("/data/set-a", "patients.parquet")
    assert pq.read_schema(file).names == ["pid", "age"]


def test_a_snapshot_damaged_by_one_byte_is_refused_and_named(database_url, tmp_path):
    scene = build(database_url, tmp_path / "home")
    made = scene.active()
    file = scene.folders["set-a"] / "data/patients/part-0.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    with scene.new_entries() as entries, pytest.raises(Denied) as refused:
        start(scene, made)
    assert (refused.value.code, "part-0.parquet" in refused.value.ko) == ("workspace.snapshot-damaged", True)
    assert [entry["outcome"] for entry in entries] == ["denied"]
    assert queries.mine(scene.store, scene.actor("scientist")) == ()
    scene.store.close()


def test_a_withdrawn_snapshot_stops_all_starts(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    made = scene.active()
    dataset.withdraw_snapshot(
        scene.store, scene.actor("steward-a"), snapshot_id=scene.folders["set-a"].name, reason="오류", now=NOW
    )
    with pytest.raises(Denied) as refused:
        start(scene, made)
    assert refused.value.code == "workspace.snapshot-withdrawn"
    scene.store.close()


def test_a_view_that_cannot_be_written_is_unavailable_recorded_and_can_be_tried_again(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    made = scene.active()
    shutil.rmtree(scene.means.settings.views)
    scene.means.settings.views.write_text("a file where the folder should be")
    with scene.new_entries() as entries, pytest.raises(Unavailable):
        start(scene, made)
    assert [entry["outcome"] for entry in entries] == ["failed"]
    scene.means.settings.views.unlink()
    scene.means.settings.views.mkdir()
    assert start(scene, made).workspace.state is WorkspaceState.REQUESTED
    scene.store.close()


def test_a_failed_start_is_said_and_can_be_tried_again_as_the_same_workspace(shared):
    made = shared.active()
    first = start(shared, made).workspace
    failed = workspace.mark_failed(shared.store, SYSTEM, workspace_id=first.id, reason="gate.engine-gone", now=NOW)
    assert (failed.state, failed.reason) == (WorkspaceState.FAILED, "gate.engine-gone")
    again = start(shared, made).workspace
    assert (again.id, again.state, again.reason) == (first.id, WorkspaceState.REQUESTED, None)
    running = workspace.mark_started(shared.store, SYSTEM, workspace_id=again.id, container_id="c1", now=NOW)
    assert (running.state, running.container_id) == (WorkspaceState.RUNNING, "c1")
    stopped = workspace.mark_stopped(shared.store, SYSTEM, workspace_id=again.id, reason="idle", now=NOW)
    assert stopped.state is WorkspaceState.STOPPED


def test_one_person_opens_one_project_at_a_time(shared):
    login = _newcomer(shared)
    first, second = (_active_for(shared, login) for _ in range(2))
    opened = start(shared, first, login).workspace
    workspace.mark_started(shared.store, SYSTEM, workspace_id=opened.id, container_id="c", now=NOW)
    with pytest.raises(Conflict) as refused:
        start(shared, second, login)
    assert refused.value.code == "workspace.other-open"
    workspace.mark_stopped(shared.store, SYSTEM, workspace_id=opened.id, reason="closed", now=NOW)
    assert start(shared, second, login).workspace.project_id == second


def _newcomer(scene: Scene) -> str:
    login = "n" + new_id("n")[-10:]
    console = Actor.console()
    people.create_account(
        scene.store, console, login=login, name="새 사람", organisation_id="startup", password="p" * 12, now=NOW
    )
    people.grant_role(scene.store, console, login=login, role=Role.SCIENTIST, reason="r", now=NOW)
    return login


def _active_for(scene: Scene, login: str) -> str:
    made = scene.approved(people=(login,))
    scene.pledged(made, "lead", login)
    project.activate(scene.store, scene.actor("lead"), project_id=made, now=NOW)
    return made


def test_without_a_project_named_the_only_open_one_is_meant(shared):
    login = _newcomer(shared)
    with pytest.raises(Denied) as refused:
        start(shared, None, login)
    assert refused.value.code == "project.not-member"
    first = _active_for(shared, login)
    assert start(shared, None, login).workspace.project_id == first
    _active_for(shared, login)
    with pytest.raises(Invalid) as which:
        start(shared, None, login)
    assert which.value.code == "workspace.which-project"


def test_the_page_tells_for_each_project_why_it_does_not_open(shared):
    login = _newcomer(shared)
    unsigned = shared.approved(people=(login,))
    ready = _active_for(shared, login)
    told = {each.project_id: each.refusal for each in queries.options(shared.store, shared.actor(login), now=NOW)}
    assert told[ready] is None
    assert told[unsigned].code == "project.not-active"


def test_the_end_of_a_project_freezes_its_workspaces_for_good(shared):
    made = shared.active()
    opened = start(shared, made).workspace
    project.end_project(shared.store, shared.actor("operator"), project_id=made, reason="기간 만료", now=NOW)
    seen = queries.by_id(shared.store, SYSTEM, opened.id)
    assert seen.state is WorkspaceState.FROZEN
    after = workspace.mark_stopped(shared.store, SYSTEM, workspace_id=opened.id, reason="gate", now=NOW)
    assert after.state is WorkspaceState.FROZEN
    with pytest.raises(Conflict):
        workspace.mark_started(shared.store, SYSTEM, workspace_id=opened.id, container_id="c", now=NOW)


def test_nobody_sees_or_learns_of_somebody_elses_workspace(shared):
    opened = start(shared, shared.active()).workspace
    for login in ("colleague", "lead", "operator", "checker-a"):
        with pytest.raises(NotFound):
            queries.by_id(shared.store, shared.actor(login), opened.id)
    with pytest.raises(Denied):
        queries.running(shared.store, shared.actor("scientist"))
    assert opened.id in {each.id for each in queries.running(shared.store, shared.actor("operator"))}


def test_without_its_keys_the_service_says_so(tmp_path, shared):
    settings = replace(shared.means.settings, home=tmp_path)
    with pytest.raises(EnclaveError) as refused:
        workspace.Means.load(settings)
    assert (refused.value.code, refused.value.status) == ("keys.unreadable", 503)
    settings.keys.mkdir()
    keys.create_signing_key(settings.plan_key)
    keys.create_signing_key(settings.keys / "snapshot.key")
    assert workspace.Means.load(settings).image_id == settings.image
