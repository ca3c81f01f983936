"""How a leased device gets into a workspace: by uuid, in the engine's words, and by nobody else's word.

There is no GPU here. What the engine is asked for is the real thing; that a device then works inside is not tested.
"""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import docker
import pytest

from enclave.errors import Conflict, Denied, Invalid
from enclave.gate.filter import approved_body
from enclave.workspace.engine import create_body
from enclave.workspace.plan import PlanDamaged
from tests.enclave.gate.gpu_engine import GpuEngine, gpu_engine
from tests.enclave.gate.test_filter import PLAN
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.gate.world import World, make_world

UUID = "GPU-11111111-2222-3333-4444-555555555555"
OTHER = "GPU-99999999-2222-3333-4444-555555555555"
SLICE = "MIG-01234567-89ab-cdef-0123-456789abcdef"
NVIDIA = replace(PLAN, gpu_uuids=(UUID,))
CDI = replace(PLAN, gpu_uuids=(SLICE,), gpu_driver="cdi")


def variables(body: dict[str, Any]) -> dict[str, str]:
    pairs = (line.partition("=") for line in body["Env"])
    return {name: value for name, _, value in pairs if name.startswith("NVIDIA_")}


def test_a_device_is_asked_for_by_its_uuid_in_the_words_of_each_way() -> None:
    nvidia, cdi, none = create_body(NVIDIA), create_body(CDI), create_body(PLAN)
    assert nvidia["HostConfig"]["DeviceRequests"] == [
        {"Driver": "nvidia", "DeviceIDs": [UUID], "Capabilities": [["gpu", "compute", "utility"]], "Options": {}}
    ]
    assert cdi["HostConfig"]["DeviceRequests"] == [
        {"Driver": "cdi", "DeviceIDs": [f"nvidia.com/gpu={SLICE}"], "Capabilities": [], "Options": {}}
    ]
    assert none["HostConfig"]["DeviceRequests"] == []
    assert "Count" not in json.dumps([nvidia, cdi])
    assert variables(nvidia) == {"NVIDIA_VISIBLE_DEVICES": UUID, "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    # A runtime that gives devices by environment gives none: neither without a lease nor beside CDI.
    assert variables(none) == variables(cdi) == {"NVIDIA_VISIBLE_DEVICES": "void"}


@pytest.mark.parametrize("changes", [{"gpu_driver": "all"}, {"gpu_driver": ""}, {"gpu_uuids": ("all",)}])
def test_a_plan_cannot_name_all_devices_or_another_way(changes: dict[str, Any]) -> None:
    with pytest.raises(PlanDamaged):
        replace(NVIDIA, **changes)


REQUESTS: list[Any] = [
    [],
    None,
    [{"Driver": "", "Count": 1, "Capabilities": [["gpu"]]}],
    [{"Driver": "nvidia", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}],
    [{"Driver": "nvidia", "DeviceIDs": [OTHER], "Capabilities": [["gpu", "compute", "utility"]], "Options": {}}],
    [{"Driver": "nvidia", "DeviceIDs": [UUID, OTHER], "Capabilities": [["gpu", "compute", "utility"]], "Options": {}}],
    [{"Driver": "nvidia", "DeviceIDs": ["all"], "Capabilities": [["gpu", "compute", "utility"]], "Options": {}}],
    [{"Driver": "nvidia", "DeviceIDs": [UUID], "Capabilities": [["gpu", "graphics"]], "Options": {}}],
    [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"], "Capabilities": [], "Options": {}}],
    [{"Driver": "cdi", "DeviceIDs": [f"nvidia.com/gpu={UUID}"], "Capabilities": [], "Options": {}}],
]


@pytest.mark.parametrize("plan", [NVIDIA, CDI, PLAN], ids=["nvidia", "cdi", "none"])
@pytest.mark.parametrize("asked", REQUESTS, ids=[json.dumps(each)[:60] for each in REQUESTS])
def test_the_gate_refuses_every_other_request_for_devices(plan: Any, asked: Any) -> None:
    body = create_body(plan)
    if body["HostConfig"]["DeviceRequests"] == asked:
        return
    body["HostConfig"]["DeviceRequests"] = copy.deepcopy(asked)
    with pytest.raises(Denied, match="create-differs"):
        approved_body(json.dumps(body).encode(), plan.container_name, lambda _sha, _id: plan)


@pytest.mark.parametrize("plan", [NVIDIA, CDI, PLAN], ids=["nvidia", "cdi", "none"])
@pytest.mark.parametrize("value", ["all", OTHER, "0", ""])
def test_the_gate_refuses_another_word_on_visible_devices(plan: Any, value: str) -> None:
    body = create_body(plan)
    kept = [line for line in body["Env"] if not line.startswith("NVIDIA_VISIBLE_DEVICES")]
    for environment in (sorted([*kept, f"NVIDIA_VISIBLE_DEVICES={value}"]), [*body["Env"], "NVIDIA_MIG_CONFIG=all"]):
        with pytest.raises(Denied):
            approved_body(
                json.dumps({**body, "Env": environment}).encode(), plan.container_name, lambda _sha, _id: plan
            )


@pytest.mark.docker
class TestOnTheEngine:
    @pytest.mark.parametrize(("driver", "uuid"), [("nvidia", UUID), ("cdi", SLICE)])
    def test_an_engine_without_a_driver_creates_as_asked_and_starts_nothing(
        self, world: World, driver: str, uuid: str
    ) -> None:
        """CDI itself cannot be tried: this engine is 20.10, which has none; that it does not start is the point."""
        plan = world.plan(gpu_uuids=(uuid,), gpu_driver=driver)
        world.register(plan)
        container = world.create(plan)
        state = docker.APIClient(version="1.41").inspect_container(container)
        (asked,) = state["HostConfig"]["DeviceRequests"]
        (wanted,) = create_body(plan)["HostConfig"]["DeviceRequests"]
        assert {name: asked[name] for name in wanted} == wanted
        assert asked["Count"] == 0
        client = world.engine()
        with pytest.raises(docker.errors.APIError, match="could not select device driver"):
            client.start(container)
        client.close()
        world.gate.revoke(plan.workspace_id)

    def test_an_image_that_says_all_devices_is_not_heard(self, world: World) -> None:
        made = subprocess.run(["docker", "create", tiny_image(), "true"], capture_output=True, text=True, check=True)
        change = ["--change", "ENV NVIDIA_VISIBLE_DEVICES=all", "--change", "ENV NVIDIA_DRIVER_CAPABILITIES=all"]
        image = subprocess.run(
            ["docker", "commit", *change, made.stdout.strip()], capture_output=True, text=True, check=True
        ).stdout.strip()
        try:
            plan = world.plan(image_id=image)
            world.register(plan)
            state = docker.APIClient(version="1.41").inspect_container(world.create(plan))
            assert [line for line in state["Config"]["Env"] if line.startswith("NVIDIA_VISIBLE_DEVICES")] == [
                "NVIDIA_VISIBLE_DEVICES=void"
            ]
        finally:
            world.gate.revoke(plan.workspace_id)
            subprocess.run(["docker", "rm", made.stdout.strip()], capture_output=True, check=True)
            subprocess.run(["docker", "rmi", image], capture_output=True, check=True)

    def test_shared_memory_and_temporary_files_are_clean_at_every_start(self, world: World) -> None:
        write = "for n in ('/dev/shm/x', '/tmp/x', '/run/x', '/home/analyst/x'): open(n, 'w').write('secret')"
        look = (
            "import os; print([os.listdir(n) for n in ('/dev/shm', '/tmp')],"
            " [os.path.exists(n + '/x') for n in ('/run', '/home/analyst')])"
        )
        first = world.run()
        assert first.python(write + "\n" + look).startswith("[['x'], ['x']] [True, True]")
        world.gate.revoke(first.plan.workspace_id)
        again = world.run(world.plan(workspace_id=first.plan.workspace_id))
        assert again.python(look).startswith("[[], []] [False, False]")
        other = world.run()
        assert other.python(look).startswith("[[], []] [False, False]")
        for each in (again, other):
            each.end()


@pytest.fixture(scope="module")
def engine() -> Iterator[GpuEngine]:
    with gpu_engine() as made:
        yield made


@pytest.fixture(scope="module")
def gpu_world(engine: GpuEngine) -> Iterator[World]:
    """A gate before the engine that offers GPUs."""
    with make_world() as made:
        made.stop_gate()
        made.start_gate("--docker-socket", str(engine.socket))
        yield made
        for workspace_id in made.workspaces:
            made.gate.revoke(workspace_id)


@pytest.mark.docker
class TestWithADriver:
    def test_the_runtimes_hook_is_told_the_leased_device_and_nothing_else(
        self, gpu_world: World, engine: GpuEngine
    ) -> None:
        for uuid in (UUID, SLICE):
            workspace = gpu_world.run(gpu_world.plan(gpu_uuids=(uuid,)))
            told = engine.told()[-1]
            assert told["arguments"] == ["prestart"]
            assert {line for line in told["environment"] if line.startswith("NVIDIA_")} == {
                f"NVIDIA_VISIBLE_DEVICES={uuid}",
                "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
            }
            assert gpu_world.gate.gpu_holders() == {uuid: workspace.plan.workspace_id}
            workspace.end()
            assert gpu_world.gate.gpu_holders() == {}

    def test_a_workspace_without_a_lease_never_meets_the_hook(self, gpu_world: World, engine: GpuEngine) -> None:
        before = len(engine.told())
        workspace = gpu_world.run()
        assert len(engine.told()) == before
        workspace.end()

    def test_a_second_workspace_with_the_same_device_is_not_started_and_it_is_not_erased(
        self, gpu_world: World
    ) -> None:
        """The second lock: here the portal's own promise was broken, and two signed plans name one device."""
        first = gpu_world.run(gpu_world.plan(gpu_uuids=(UUID,)))
        second = gpu_world.plan(gpu_uuids=(UUID,))
        gpu_world.register(second)
        container = gpu_world.create(second)
        client = gpu_world.engine()
        with pytest.raises(docker.errors.APIError, match=r"gate\.gpu-held"):
            client.start(container)
        with pytest.raises(Conflict) as refused:
            gpu_world.gate.scrub(UUID, "r-1")
        assert refused.value.code == "gate.gpu-held"
        first.end()
        client.start(container)
        client.close()
        assert gpu_world.gate.gpu_holders() == {UUID: second.workspace_id}
        gpu_world.gate.revoke(second.workspace_id)

    @pytest.mark.parametrize("name", ["all", "0", "GPU-; reboot", "../../x", ""])
    def test_what_is_no_device_is_not_erased(self, gpu_world: World, name: str) -> None:
        with pytest.raises(Invalid):
            gpu_world.gate.scrub(name, "r-1")
