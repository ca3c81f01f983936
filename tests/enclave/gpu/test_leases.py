"""A turn at a GPU from the queue to the erased device, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from enclave.commands import gpu, gpu_device, project
from enclave.commands import workspace as workspaces
from enclave.commands.gpu_device import Evidence
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.gpu.devices import GpuKind, GpuProfile
from enclave.model.gpu import GpuLease
from enclave.queries import gpu as queries
from enclave.states import DeviceState, LeaseState
from enclave.store import open_engine, writable
from enclave.workspace.plan import parse_plan
from tests.enclave.gpu.acts import (
    CLEAN,
    RULES,
    SYSTEM,
    after,
    asked,
    device,
    ended,
    equipped,
    granted,
    profiled,
    scrubbed,
    started,
)
from tests.enclave.scene import NOW, Scene


def state(scene: Scene, number: int = 1) -> DeviceState:
    views = queries.devices(scene.store, scene.actor("operator"))
    return next(each.state for each in views if each.uuid == device(number).uuid)


def test_the_whole_way_of_one_lease_and_its_entries(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    with scene.new_entries() as entries:
        lease = asked(scene, "scientist", made, minutes=60)
        assert (lease.state, lease.place, lease.expected_at) == (LeaseState.WAITING, 1, NOW)
        assert granted(scene) == [lease.id]
        start = started(scene, "scientist", made, after(minutes=1))
        assert gpu.warn_leases(scene.store, RULES, now=after(minutes=49)) == ()
        assert [view.id for view in gpu.warn_leases(scene.store, RULES, now=after(minutes=50))] == [lease.id]
        assert gpu.warn_leases(scene.store, RULES, now=after(minutes=51)) == ()
        assert gpu.expire_leases(scene.store, RULES, now=after(minutes=59)) == ()
        (over,) = gpu.expire_leases(scene.store, RULES, now=after(minutes=60))
        assert (over.state, over.reason, over.workspace_id) == (LeaseState.ENDING, "time-over", start.workspace.id)
        assert ended(scene, lease.id, after(minutes=61)).state is LeaseState.ENDED
    assert parse_plan(start.plan).gpu_uuids == (device(1).uuid,)
    assert [entry["action"] for entry in entries if str(entry["action"]).startswith("gpu.")] == [
        "gpu.request",
        "gpu.grant",
        "gpu.warn",
        "gpu.end-requested",
        "gpu.end-done",
    ]
    about = queries.of_project(scene.store, RULES, scene.actor("lead"), made, now=after(hours=5))
    assert (about.seconds, about.profile) == (61 * 60, GpuProfile.WHOLE)
    with scene.store.read() as session:
        hours = queries.gpu_seconds(session, start.workspace.id, start=after(minutes=10), end=after(minutes=20))
        everything = queries.gpu_seconds(session, start.workspace.id, start=NOW, end=after(hours=9))
    assert (hours, everything) == (600, 61 * 60)


def test_a_device_is_not_leased_again_before_its_memory_was_erased(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    first = asked(scene, "scientist", made)
    second = asked(scene, "lead", made, now=after(seconds=1))
    assert granted(scene) == [first.id]
    gpu.release_lease(scene.store, RULES, scene.actor("scientist"), lease_id=first.id, now=after(minutes=5))
    # Given back, but until the gate has said that nothing runs with it, it is still held.
    assert granted(scene, after(minutes=5)) == []
    ended(scene, first.id, after(minutes=6))
    assert (state(scene), granted(scene, after(minutes=6))) == (DeviceState.DIRTY, [])
    assert scrubbed(scene, after(minutes=7)) == 1
    assert granted(scene, after(minutes=7)) == [second.id]


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(100, 98, 7, 1, 5, ""),
        Evidence(100, 98, 7, 0, 5, "pattern-not-kept"),
        Evidence(0, 0, 0, 0, 5, "driver: cuInit: 100"),
        Evidence(100, 0, 0, 0, 5, ""),
    ],
)
def test_a_device_whose_memory_was_not_erased_is_taken_out_of_service(shared: Scene, evidence: Evidence) -> None:
    gpu_device.note_devices(shared.store, SYSTEM, found=[device(1)])
    with shared.new_entries() as entries:
        (task,) = gpu_device.to_scrub(shared.store, now=NOW)
        after_scrub = gpu_device.settle_scrub(shared.store, SYSTEM, task=task, evidence=evidence, now=NOW)
    assert after_scrub is DeviceState.QUARANTINED
    (entry,) = entries
    assert (entry["action"], entry["outcome"], entry["reason"]) == ("gpu.scrub", "failed", {"code": "gpu.not-clean"})
    assert granted(shared) == []
    assert gpu_device.to_scrub(shared.store, now=after(days=1)) == ()
    # Reading the inventory again does not bring it back, only an operator does, and it is erased first.
    gpu_device.note_devices(shared.store, SYSTEM, found=[])
    gpu_device.note_devices(shared.store, SYSTEM, found=[device(1)])
    assert state(shared) is DeviceState.QUARANTINED
    operator = shared.actor("operator")
    gpu_device.return_to_service(shared.store, operator, uuid=device(1).uuid, reason="교체", now=NOW)
    assert state(shared) is DeviceState.DIRTY


def test_a_report_of_an_earlier_round_counts_for_nothing(scene: Scene) -> None:
    made = profiled(scene)
    gpu_device.note_devices(scene.store, SYSTEM, found=[device(1)])
    (task,) = gpu_device.to_scrub(scene.store, now=NOW)
    gpu_device.settle_scrub(scene.store, SYSTEM, task=task, evidence=CLEAN, now=NOW)
    lease = asked(scene, "scientist", made)
    granted(scene)
    with pytest.raises(Conflict, match="쓰지 않았습니다"):
        gpu_device.settle_scrub(scene.store, SYSTEM, task=task, evidence=CLEAN, now=NOW)
    gpu.release_lease(scene.store, RULES, scene.actor("lead"), lease_id=lease.id, now=NOW)
    ended(scene, lease.id, NOW)
    with pytest.raises(Conflict, match="쓰지 않았습니다"):
        gpu_device.settle_scrub(scene.store, SYSTEM, task=task, evidence=CLEAN, now=NOW)
    assert state(scene) is DeviceState.DIRTY


def test_a_device_that_stood_idle_is_erased_again_before_it_is_granted(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    assert gpu_device.to_scrub(scene.store, now=after(days=1)) == ()
    asked(scene, "scientist", made, now=after(days=1))
    assert granted(scene, after(days=1)) == []
    assert scrubbed(scene, after(days=1)) == 1
    assert len(granted(scene, after(days=1))) == 1


def test_a_device_is_held_while_a_signed_plan_that_names_it_could_still_be_started(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    lease = asked(scene, "scientist", made)
    granted(scene)
    started(scene, "scientist", made, after(minutes=1))
    gpu.release_lease(scene.store, RULES, scene.actor("scientist"), lease_id=lease.id, now=after(minutes=2))
    with pytest.raises(Conflict) as refused:
        ended(scene, lease.id, after(minutes=10))
    assert refused.value.code == "gpu.plan-open"
    ended(scene, lease.id, after(minutes=11))


def test_a_start_without_a_turn_opens_without_a_device(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    assert parse_plan(started(scene, "scientist", made).plan).gpu_uuids == ()
    asked(scene, "scientist", made)
    assert parse_plan(started(scene, "scientist", made).plan).gpu_uuids == ()
    granted(scene)
    assert parse_plan(started(scene, "scientist", made).plan).gpu_uuids == (device(1).uuid,)
    assert parse_plan(started(scene, "scientist", made, after(hours=2)).plan).gpu_uuids == ()


def test_a_turn_belongs_to_one_person_in_one_project(scene: Scene) -> None:
    made, other = profiled(scene), profiled(scene)
    equipped(scene, device(1))
    asked(scene, "scientist", made)
    granted(scene)
    assert parse_plan(started(scene, "scientist", other).plan).gpu_uuids == ()
    assert parse_plan(started(scene, "lead", made).plan).gpu_uuids == ()


def _not_claimed(scene: Scene, made: str, lease: str) -> None:
    pass


def _stopped(scene: Scene, made: str, lease: str) -> None:
    start = started(scene, "scientist", made)
    workspaces.mark_stopped(scene.store, SYSTEM, workspace_id=start.workspace.id, reason="x", now=NOW)


def _hub_died_in_a_start(scene: Scene, made: str, lease: str) -> None:
    actor = scene.actor("scientist")
    workspaces.request_start(scene.store, scene.means, actor, project_id=made, now=NOW)


def _runs_for_the_hub_only(scene: Scene, made: str, lease: str) -> None:
    started(scene, "scientist", made)


def _project_ended(scene: Scene, made: str, lease: str) -> None:
    started(scene, "scientist", made)
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=NOW)


def _profile_taken(scene: Scene, made: str, lease: str) -> None:
    operator = scene.actor("operator")
    gpu.set_gpu_profile(scene.store, RULES, operator, project_id=made, profile=GpuProfile.SLICE, now=NOW)


def _device_gone(scene: Scene, made: str, lease: str) -> None:
    gpu_device.note_devices(scene.store, SYSTEM, found=[])


@pytest.mark.parametrize(
    ("prepare", "minutes", "reason"),
    [
        (_not_claimed, 30, "not-claimed"),
        (_stopped, 30, "workspace-closed"),
        (_hub_died_in_a_start, 30, "workspace-closed"),
        (_runs_for_the_hub_only, 30, "workspace-gone"),
        (_project_ended, 0, "not-entitled"),
        (_profile_taken, 0, "not-entitled"),
        (_device_gone, 0, "device-gone"),
    ],
)
def test_the_reaper_ends_what_nobody_gives_back(scene: Scene, prepare, minutes: int, reason: str) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    lease = asked(scene, "scientist", made, minutes=120)
    granted(scene)
    prepare(scene, made, lease.id)
    if minutes:
        assert gpu.expire_leases(scene.store, RULES, now=after(minutes=minutes - 1), seen={}) == ()
    (over,) = gpu.expire_leases(scene.store, RULES, now=after(minutes=minutes), seen={})
    assert (over.id, over.state, over.reason) == (lease.id, LeaseState.ENDING, reason)


def test_a_workspace_that_runs_with_its_device_is_left_alone(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    asked(scene, "scientist", made, minutes=480)
    granted(scene)
    start = started(scene, "scientist", made)
    seen = {device(1).uuid: start.workspace.id}
    for moment in (after(minutes=40), after(hours=7)):
        assert gpu.expire_leases(scene.store, RULES, now=moment, seen=seen) == ()
        assert gpu.expire_leases(scene.store, RULES, now=moment) == ()


def test_a_slice_and_the_device_it_is_part_of_are_never_held_together(scene: Scene) -> None:
    whole, sliced = profiled(scene), profiled(scene, GpuProfile.SLICE)
    part = device(2, GpuKind.SLICE, parent=device(1).uuid)
    equipped(scene, device(1), part)
    first = asked(scene, "scientist", whole)
    asked(scene, "lead", sliced, now=after(seconds=1))
    assert granted(scene) == [first.id]


def test_a_person_sees_their_place_and_nobody_elses_name(scene: Scene) -> None:
    made = profiled(scene)
    equipped(scene, device(1))
    asked(scene, "lead", made, minutes=120)
    granted(scene)
    asked(scene, "scientist", made)
    view = queries.mine(scene.store, RULES, scene.actor("scientist"), now=after(minutes=1))
    assert view is not None
    assert (view.place, view.expected_at, view.may) == (1, after(hours=2), {"release_lease"})
    scene.pledged(made, "colleague")
    behind = asked(scene, "colleague", made, now=after(minutes=2))
    assert (behind.place, behind.expected_at) == (2, after(hours=3))
    assert "lead" not in json.dumps([str(value) for value in vars(behind).values()])


@pytest.mark.parametrize(
    ("login", "minutes", "error", "code"),
    [
        ("scientist", 14, Invalid, "gpu.minutes"),
        ("scientist", 481, Invalid, "gpu.minutes"),
        ("other-lead", 60, Denied, "project.not-member"),
        ("operator", 60, Denied, "project.not-member"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_own_code(shared: Scene, login, minutes, error, code) -> None:
    made = profiled(shared)
    with pytest.raises(error) as refused:
        asked(shared, login, made, minutes=minutes)
    assert refused.value.code == code


def test_a_project_without_a_profile_asks_for_nothing(shared: Scene) -> None:
    with pytest.raises(Denied) as refused:
        asked(shared, "scientist", shared.active())
    assert refused.value.code == "gpu.no-profile"


def test_one_person_asks_once(scene: Scene) -> None:
    made = profiled(scene)
    asked(scene, "scientist", made)
    with pytest.raises(Conflict) as refused:
        asked(scene, "scientist", made)
    assert refused.value.code == "gpu.already-asked"


def test_only_the_holder_the_lead_and_the_operator_give_back(scene: Scene) -> None:
    made = profiled(scene)
    lease = asked(scene, "scientist", made)
    for login in ("colleague", "other-lead", "steward-a", "auditor", "nobody"):
        with pytest.raises(Denied):
            gpu.release_lease(scene.store, RULES, scene.actor(login), lease_id=lease.id, now=NOW)
    for login in ("scientist", "lead", "operator"):
        gpu.release_lease(scene.store, RULES, scene.actor(login), lease_id=lease.id, now=NOW)
        lease = asked(scene, "scientist", made)


def test_nobody_but_the_service_itself_ends_or_cleans(shared: Scene) -> None:
    operator = shared.actor("operator")
    gpu_device.note_devices(shared.store, SYSTEM, found=[device(1)])
    acts = [
        lambda: gpu.finish_lease(shared.store, RULES, operator, lease_id="g-x", now=NOW),
        lambda: gpu_device.note_devices(shared.store, operator, found=[]),
        lambda: gpu_device.settle_scrub(
            shared.store, operator, task=gpu_device.ScrubTask("GPU-x", "r"), evidence=CLEAN, now=NOW
        ),
    ]
    for act in acts:
        with pytest.raises(Denied) as refused:
            act()
        assert refused.value.code == "gpu.system-only"
    with pytest.raises(NotFound):
        gpu.finish_lease(shared.store, RULES, SYSTEM, lease_id="g-x", now=NOW)


def test_an_inventory_that_did_not_change_leaves_no_entry(shared: Scene) -> None:
    gpu_device.note_devices(shared.store, SYSTEM, found=[device(1)])
    with shared.new_entries() as entries:
        assert gpu_device.note_devices(shared.store, SYSTEM, found=[device(1)]) is False
    assert entries == []


@pytest.mark.parametrize(("column", "other"), [("device_uuid", "lead"), ("account_id", "scientist")])
def test_the_database_itself_refuses_a_second_tenant_and_a_second_turn(scene: Scene, column: str, other: str) -> None:
    """Whatever the commands believed: here the row is written past them."""
    made = profiled(scene)
    equipped(scene, device(1), device(2))
    asked(scene, "scientist", made)
    granted(scene)
    view = queries.mine(scene.store, RULES, scene.actor("scientist"), now=NOW)
    assert view is not None
    values = {
        "id": "g-second",
        "project_id": made,
        "account_id": f"u-{other}",
        "kind": GpuKind.WHOLE,
        "minutes": 60,
        "state": LeaseState.GRANTED,
        "requested_at": NOW,
        "reason": "",
        "device_uuid": view.device_uuid if column == "device_uuid" else device(2).uuid,
    }
    engine = open_engine(str(scene.store.engine.url.render_as_string(hide_password=False)))
    with pytest.raises(IntegrityError), writable(engine).begin() as connection:
        connection.execute(insert(GpuLease).values(values))
    engine.dispose()


def test_a_warning_comes_ten_minutes_before_the_end() -> None:
    from enclave.gpu.rules import WARNING

    assert timedelta(minutes=10) == WARNING
