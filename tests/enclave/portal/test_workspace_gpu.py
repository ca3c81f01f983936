"""A notebook's own questions about GPUs: through the gate, for its own project and person only."""

from __future__ import annotations

from enclave import clock
from enclave.actor import Actor
from enclave.commands import gpu
from enclave.gpu.devices import GpuProfile
from enclave.gpu.rules import GpuRules
from enclave.queries import workspace
from tests.enclave.portal.test_gpu_page import equipped
from tests.enclave.portal.test_inner_apis import core, gate, inside, needs_root, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import World

RULES = GpuRules()


@needs_root
def test_a_notebook_asks_waits_is_granted_and_gives_back(world: World, place: workspace.WorkspaceView) -> None:  # noqa: F811
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
def test_nobody_but_the_owner_through_the_gate_is_answered(world: World, place: workspace.WorkspaceView) -> None:  # noqa: F811
    for changes in ({"x-ansim-gate": "x"}, {"x-ansim-workspace": "w-other"}):
        assert inside(world, place, **changes).get("/gpu").status_code in {403, 404}
    assert inside(world, place, "jiwoo").get("/gpu").status_code == 404
    for body in ({"minutes": "60"}, {"minutes": 0}, {"minutes": 60, "project_id": "p-other"}, {}):
        assert inside(world, place).post("/gpu/request", json=body).status_code == 422
