"""A notebook's own questions about GPUs: through the gate, for its own project and person only."""

# ruff: noqa: F811 - fixtures are imported and are arguments
from __future__ import annotations

from datetime import timedelta

import pytest

from enclave import clock
from enclave.actor import Actor
from enclave.commands import gpu
from enclave.gpu.devices import GpuProfile
from enclave.gpu.rules import GpuRules
from enclave.portal import gpu_round
from enclave.queries import gpu as queries
from enclave.queries import workspace
from enclave.queries.gpu import LeaseView
from enclave.states import DeviceState, LeaseState
from tests.enclave.portal.test_gpu_page import equipped
from tests.enclave.portal.test_inner_apis import Core, GateOf, core, gate, inside, needs_root, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import World

RULES = GpuRules()


@needs_root
def test_a_notebook_asks_waits_is_granted_and_gives_back(world: World, place: workspace.WorkspaceView) -> None:
    client = inside(world, place)
    assert client.get("/gpu").json() == {
        "profile": "none",
        "least_minutes": 15,
        "most_minutes": 480,
        "turn": None,
        "last": None,
    }
    refused = client.post("/gpu/request", json={"minutes": 60})
    assert (refused.status_code, refused.json()["code"]) == (403, "gpu.no-profile")
    gpu.set_gpu_profile(
        world.store, RULES, Actor.console(), project_id=place.project_id, profile=GpuProfile.WHOLE, now=clock.now()
    )
    assert client.post("/gpu/request", json={"minutes": 60}).json()["turn"]["place"] == 1
    assert client.post("/gpu/request", json={"minutes": 60}).json()["code"] == "gpu.already-asked"
    equipped(world)
    gpu.grant_leases(world.store, RULES, now=clock.now())
    turn = client.get("/gpu").json()["turn"]
    # This workspace was started before: it has no device, and says so.
    assert (turn["state"], turn["here"]) == ("granted", False)
    assert client.post("/gpu/release", json={}).json()["turn"]["state"] == "ending"
    assert client.post("/gpu/release", json={}).json()["code"] == "state.transition"


@needs_root
def test_nobody_but_the_owner_through_the_gate_is_answered(world: World, place: workspace.WorkspaceView) -> None:
    for changes in ({"x-ansim-gate": "x"}, {"x-ansim-workspace": "w-other"}):
        assert inside(world, place, **changes).get("/gpu").status_code in {403, 404}
    assert inside(world, place, "jiwoo").get("/gpu").status_code == 404
    for body in ({"minutes": "60"}, {"minutes": 0}, {"minutes": 60, "project_id": "p-other"}, {}):
        assert inside(world, place).post("/gpu/request", json=body).status_code == 422


@needs_root
def test_a_turn_that_is_over_stops_the_workspace_and_frees_the_device_only_then(
    world: World,
    core: Core,
    gate: GateOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    equipped(world)
    gpu.set_gpu_profile(
        world.store, RULES, Actor.console(), project_id=world.project_id, profile=GpuProfile.WHOLE, now=clock.now()
    )
    mina = world.actor("mina")
    lease = gpu.request_lease(world.store, RULES, mina, project_id=world.project_id, minutes=60, now=clock.now())
    gpu.grant_leases(world.store, RULES, now=clock.now())
    assert core.ask("/workspaces/mina/plan").status_code == 200
    (own,) = workspace.mine(world.store, mina)
    in_force = world.settings.volumes / own.id / "current"
    assert in_force.exists()
    gpu.release_lease(world.store, RULES, mina, lease_id=lease.id, now=clock.now())
    gpu_round.turn(world.portal)
    # The gate starts nothing from that plan any more; the device is held until the plan itself is over.
    assert not in_force.exists()
    assert [each.state for each in turns(world)] == [LeaseState.ENDING]
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    gpu_round.turn(world.portal)
    assert turns(world) == ()
    (device,) = queries.devices(world.store, world.actor("operator"))
    assert device.state is DeviceState.DIRTY


@needs_root
def test_without_the_gates_word_no_device_is_let_go(world: World, core: Core, gate: GateOf) -> None:
    equipped(world)
    gpu.set_gpu_profile(
        world.store, RULES, Actor.console(), project_id=world.project_id, profile=GpuProfile.WHOLE, now=clock.now()
    )
    mina = world.actor("mina")
    lease = gpu.request_lease(world.store, RULES, mina, project_id=world.project_id, minutes=60, now=clock.now())
    gpu.grant_leases(world.store, RULES, now=clock.now())
    gpu.release_lease(world.store, RULES, mina, lease_id=lease.id, now=clock.now())
    world.settings.gate_socket.rename(world.settings.gate_socket.with_suffix(".away"))
    gpu_round.turn(world.portal)
    assert [each.state for each in turns(world)] == [LeaseState.ENDING]


def turns(world: World) -> tuple[LeaseView, ...]:
    return queries.everybodys(world.store, RULES, world.actor("operator"), now=clock.now())
