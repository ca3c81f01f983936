"""GPUs as people see them, and the portal's round with the gate's own code and a driver that keeps its memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.actor import Actor
from enclave.commands import gpu, gpu_device
from enclave.commands.gpu_device import Evidence
from enclave.gpu.devices import Device, GpuKind, GpuProfile
from enclave.gpu.rules import GpuRules
from enclave.portal import gpu_round
from enclave.queries import gpu as queries
from enclave.states import DeviceState
from tests.enclave.gpu.libraries import compiled
from tests.enclave.portal.test_inner_apis import GateOf, needs_root
from tests.enclave.portal.world import ROOT, World

RULES = GpuRules()
# The devices of the double's machine.
UUIDS = [
    "GPU-11111111-2222-3333-4444-555555555555",
    "MIG-01234567-89ab-cdef-0123-456789abcdef",
    "MIG-fedcba98-7654-3210-fedc-ba9876543210",
]
DEVICE = Device("GPU-00000001-0000-0000-0000-000000000000", GpuKind.WHOLE, 80 << 30, "", "NVIDIA H100 80GB HBM3")
CLEAN = Evidence(80 << 30, 79 << 30, 0, 0, 900, "")


def equipped(world: World) -> None:
    gpu_device.note_devices(world.store, Actor.system(), found=[DEVICE])
    for task in gpu_device.to_scrub(world.store, now=clock.now()):
        gpu_device.settle_scrub(world.store, Actor.system(), task=task, evidence=CLEAN, now=clock.now())


def test_an_operator_gives_a_profile_a_member_asks_and_each_sees_where_it_stands(world: World) -> None:
    operator, mina = world.browser("operator"), world.browser("mina")
    assert "none of your projects" in mina.get(f"{ROOT}/gpu?lang=en").text.lower()
    answer = operator.form("/gpu/profile", project_id=world.project_id, profile="whole")
    assert answer.status_code == 303
    assert mina.form("/gpu", project_id=world.project_id, minutes="60").status_code == 303
    page = mina.get(f"{ROOT}/gpu").text
    assert "number 1" in page
    assert "no device in service" in page
    equipped(world)
    gpu.grant_leases(world.store, RULES, now=clock.now())
    for path in ("/gpu", "/"):
        assert "the GPU is in it" in mina.get(ROOT + path).text
    everything = operator.get(f"{ROOT}/gpu?lang=en").text
    assert DEVICE.uuid in everything
    assert ">mina<" in everything
    turn = queries.mine(world.store, RULES, world.actor("mina"), now=clock.now())
    assert turn is not None
    assert mina.form(f"/gpu/{turn.id}/release").status_code == 303
    assert "being taken back" in mina.get(f"{ROOT}/gpu").text
    assert "whole device" in mina.get(f"{ROOT}/projects/{world.project_id}").text


@pytest.mark.parametrize("minutes", ["", "1", "-5", "abc", "9" * 400, "六十", "60.5", "481"])
def test_a_time_that_cannot_be_is_told_beside_what_was_typed(world: World, minutes: str) -> None:
    operator = Actor.console()
    gpu.set_gpu_profile(
        world.store, RULES, operator, project_id=world.project_id, profile=GpuProfile.WHOLE, now=clock.now()
    )
    answer = world.browser("mina").form("/gpu", project_id=world.project_id, minutes=minutes)
    assert answer.status_code == 422
    assert "15분에서 480분까지" in answer.text


def test_who_may_not_manage_is_refused_and_offered_nothing(world: World) -> None:
    equipped(world)
    for login in ("mina", "jiwoo", "haneul", "suyeon"):
        browser = world.browser(login)
        assert 'action="/services/portal/gpu/profile"' not in browser.get(f"{ROOT}/gpu").text
        answer = browser.form("/gpu/profile", project_id=world.project_id, profile="whole")
        assert answer.status_code == 403
        assert browser.form("/gpu/service", uuid=DEVICE.uuid, reason="x").status_code == 403
    assert DEVICE.uuid not in world.browser("mina").get(f"{ROOT}/gpu").text


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver on this host: its libraries, and the folder with the memories of its devices."""
    memory = tmp_path / "memory"
    memory.mkdir()
    for uuid in UUIDS:
        (memory / uuid).write_bytes(b"left by the last one" * 400_000 + bytes(8 << 20))
    (tmp_path / "lib").mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(compiled(tmp_path / "lib")))
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(memory))
    return memory


@pytest.fixture
def gate(world: World) -> Iterator[GateOf]:
    made = GateOf(world.settings)
    yield made
    made.stop()


def rounds(world: World, state: DeviceState) -> set[DeviceState]:
    """Let the portal go round until all devices are as they should be."""
    states: set[DeviceState] = set()
    end = time.monotonic() + 240
    while states != {state} and time.monotonic() < end:
        if not states:
            gpu_round.look(world.portal)
        gpu_round.turn(world.portal)
        states = {each.state for each in queries.devices(world.store, world.actor("operator"))}
        time.sleep(0.1)
    return states


@needs_root
def test_the_portals_round_finds_devices_has_them_erased_and_grants_them(
    world: World, gate: GateOf, driver: Path
) -> None:
    browser = world.browser("operator")
    browser.form("/gpu/profile", project_id=world.project_id, profile="slice")
    assert rounds(world, DeviceState.READY) == {DeviceState.READY}
    assert all(b"left" not in (driver / uuid).read_bytes()[2 << 20 :] for uuid in UUIDS)
    assert len(queries.devices(world.store, world.actor("operator"))) == 3
    # Asked only now: a turn that waits gets the device that is erased first, whichever that is.
    world.browser("mina").form("/gpu", project_id=world.project_id, minutes="60")
    gpu_round.turn(world.portal)
    turn = queries.mine(world.store, RULES, world.actor("mina"), now=clock.now())
    assert turn is not None
    # The smaller of the two slices, and nothing of the whole device.
    assert (turn.state, turn.device_uuid) == ("granted", "MIG-01234567-89ab-cdef-0123-456789abcdef")
    with world.store.read() as session:
        rows = [json.loads(data) for data in session.scalars(select(audit_entry.c.bytes))]
    scrubs = [row["details"] for row in rows if row["action"] == "gpu.scrub"]
    assert len(scrubs) == 3
    assert all(each["bytes_not_cleared"] == 0 < each["bytes_tested"] for each in scrubs)
    assert max(each["bytes_left_over"] for each in scrubs) > 0


@needs_root
def test_a_device_that_keeps_its_memory_is_out_of_service_until_an_operator_says_otherwise(
    world: World, gate: GateOf, driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CUDA_FAULT", "keeps")
    assert rounds(world, DeviceState.QUARANTINED) == {DeviceState.QUARANTINED}
    operator = world.browser("operator")
    page = operator.get(f"{ROOT}/gpu?lang=en").text
    assert "pattern-not-kept" in page
    monkeypatch.delenv("FAKE_CUDA_FAULT")
    for each in queries.devices(world.store, world.actor("operator")):
        assert operator.form("/gpu/service", uuid=each.uuid, reason="교체함").status_code == 303
    assert rounds(world, DeviceState.READY) == {DeviceState.READY}


@needs_root
def test_a_host_without_a_driver_has_no_devices_and_no_complaint(world: World, gate: GateOf) -> None:
    end = time.monotonic() + 60
    while (reading := world.portal.gate.gpus()) is None and time.monotonic() < end:
        time.sleep(0.2)
    assert reading is not None
    assert reading.problem == "no-driver"
    gpu_round.look(world.portal)
    gpu_round.turn(world.portal)
    assert queries.devices(world.store, world.actor("operator")) == ()
    assert "No GPU was ever seen" in world.browser("operator").get(f"{ROOT}/gpu?lang=en").text
