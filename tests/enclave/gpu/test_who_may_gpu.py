"""Who may do what with GPUs: every account tried against every command, each refusal an entry and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from enclave.actor import Actor
from enclave.commands import gpu, gpu_device
from enclave.errors import Denied
from enclave.gpu.devices import GpuProfile
from tests.enclave.gpu.acts import CLEAN, RULES, SYSTEM, asked, device, ended, profiled
from tests.enclave.scene import CAST, NOW, Scene

MEMBERS, RUNS = {"lead", "scientist", "colleague"}, {"operator", "console"}
Act = Callable[[Scene, Actor, str], object]


def _quarantined(scene: Scene) -> str:
    gpu_device.note_devices(scene.store, SYSTEM, found=[device(1)])
    for task in gpu_device.to_scrub(scene.store, now=NOW):
        broken = gpu_device.Evidence(1, 1, 0, 1, 1, "not-cleared")
        gpu_device.settle_scrub(scene.store, SYSTEM, task=task, evidence=broken, now=NOW)
    return device(1).uuid


def _dirty(scene: Scene) -> str:
    _quarantined(scene)
    operator = scene.actor("operator")
    gpu_device.return_to_service(scene.store, operator, uuid=device(1).uuid, reason="r", now=NOW)
    return device(1).uuid


def _waiting(scene: Scene) -> str:
    return asked(scene, "scientist", profiled(scene)).id


def _settle(scene: Scene, actor: Actor, uuid: str) -> object:
    (task,) = gpu_device.to_scrub(scene.store, now=NOW)
    return gpu_device.settle_scrub(scene.store, actor, task=task, evidence=CLEAN, now=NOW)


CASES: dict[str, tuple[Callable[[Scene], str], Act, set[str]]] = {
    "profile": (
        Scene.usual,
        lambda s, a, made: gpu.set_gpu_profile(s.store, RULES, a, project_id=made, profile=GpuProfile.WHOLE, now=NOW),
        RUNS,
    ),
    "request": (
        profiled,
        lambda s, a, made: gpu.request_lease(s.store, RULES, a, project_id=made, minutes=60, now=NOW),
        MEMBERS,
    ),
    "release": (
        _waiting,
        lambda s, a, made: gpu.release_lease(s.store, RULES, a, lease_id=made, now=NOW),
        {"scientist", "lead", *RUNS},
    ),
    "service": (
        _quarantined,
        lambda s, a, made: gpu_device.return_to_service(s.store, a, uuid=made, reason="r", now=NOW),
        RUNS,
    ),
    "scrub": (_dirty, _settle, {"system"}),
    "devices": (
        _dirty,
        lambda s, a, _: gpu_device.note_devices(s.store, a, found=[device(1), device(2)]),
        {"system"},
    ),
}


def actor_of(scene: Scene, login: str) -> Actor:
    return {"console": Actor.console(), "system": Actor.system()}.get(login) or scene.actor(login)


@pytest.mark.parametrize("name", CASES)
def test_each_command_is_for_those_it_is_for(scene: Scene, name: str) -> None:
    prepare, act, may = CASES[name]
    let_through = set()
    for login in (*CAST, "console", "system"):
        made = prepare(scene)
        with scene.new_entries() as entries, suppress(Denied):  # any other refusal is a defect of this test
            act(scene, actor_of(scene, login), made)
            let_through.add(login)
        assert len(entries) == 1, login
        assert (entries[0]["outcome"] == "denied") is (login not in may), login
        _clear(scene)
    assert let_through == may


def _clear(scene: Scene) -> None:
    """Nothing is left open for the next person."""
    from enclave.queries import gpu as queries

    for turn in queries.everybodys(scene.store, RULES, scene.actor("operator"), now=NOW):
        released = gpu.release_lease(scene.store, RULES, scene.actor("operator"), lease_id=turn.id, now=NOW)
        if released.state == "ending":
            ended(scene, turn.id, NOW)
    gpu_device.note_devices(scene.store, SYSTEM, found=[])
