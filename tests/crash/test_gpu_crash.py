"""The portal killed with -9 while people take turns at a GPU: nobody is left holding it, and nobody gets it dirty."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from sqlalchemy import select

from enclave.commands import gpu
from enclave.model.gpu import GpuDevice, GpuLease
from enclave.states import DeviceState, LeaseState
from tests.crash import gpu_child
from tests.crash.killing import told_until_killed
from tests.enclave.gpu.acts import RULES, after, asked, device, ended, equipped, granted, profiled, scrubbed
from tests.enclave.scene import Scene, build, reopen

KILLS = 4

pytestmark = pytest.mark.crash


def test_after_every_kill_the_device_comes_back_erased_and_every_turn_is_told_once(database_url, tmp_path):
    first = build(database_url, tmp_path / "home")
    equipped(first, device(1))
    project_id = profiled(first)
    first.store.close()
    dice = random.Random(20261128)
    home = str(tmp_path / "home")
    for number in range(KILLS):
        said = told_until_killed(
            gpu_child.main, database_url, home, project_id, after_s=dice.uniform(0, 0.3) if number else 0
        )
        scene = reopen(database_url, tmp_path / "home")
        _check_told(scene, said)
        _comes_back(scene, project_id)
        scene.store.close()


def _check_told(scene: Scene, said: list[tuple[str, str]]) -> None:
    """What had been acknowledged is in the rows, and each step of each turn is in the log exactly once."""
    with scene.store.read() as session:
        rows = {each.id: each for each in session.scalars(select(GpuLease))}
    told = Counter((entry["action"], entry["object"]["id"]) for entry in scene.entries())  # type: ignore[index]
    assert {name for _, name in said} <= set(rows)
    assert all(rows[name].state is LeaseState.ENDED for word, name in said if word == "over")
    for name, row in rows.items():
        assert told["gpu.request", name] == 1
        assert told["gpu.grant", name] == (row.granted_at is not None)
        assert told["gpu.end-done", name] == (row.state is LeaseState.ENDED and row.granted_at is not None)


def _comes_back(scene: Scene, project_id: str) -> None:
    """The next portal's round ends what nobody took up, and the device goes on only through an erasure."""
    now = after(minutes=31)
    gpu.expire_leases(scene.store, RULES, now=now, seen={})
    for row in _open(scene):
        if row.state is LeaseState.WAITING:
            gpu.release_lease(scene.store, RULES, scene.actor("operator"), lease_id=row.id, now=now)
        else:
            ended(scene, row.id, now)
    assert _open(scene) == []
    with scene.store.read() as session:
        (row,) = session.scalars(select(GpuDevice))
    if row.state is DeviceState.DIRTY:
        lease = asked(scene, "colleague", project_id, now=now)
        assert granted(scene, now) == []
        gpu.release_lease(scene.store, RULES, scene.actor("operator"), lease_id=lease.id, now=now)
    scrubbed(scene, now)


def _open(scene: Scene) -> list[GpuLease]:
    with scene.store.read() as session:
        return list(session.scalars(select(GpuLease).where(GpuLease.state != LeaseState.ENDED)))
