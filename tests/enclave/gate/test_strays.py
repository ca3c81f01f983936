"""Containers that nobody answers for are removed; what somebody answers for, or what is another's, goes on."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest

from enclave.errors import Unavailable
from enclave.gate.dockerd import Dockerd
from enclave.gate.plans import Plans
from enclave.gate.spool import Bounds, Spool
from enclave.gate.strays import Enclave, Strays
from enclave.workspace.mounts import Roots
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.gate.world import Workspace, World, make_world, until
from tests.ports import free_port

pytestmark = pytest.mark.docker
LONG = 300


@dataclass
class Watch:
    """A look-out of our own beside the gate's, with a clock that we turn."""

    strays: Strays
    spool: Spool
    closed: list[str] = field(default_factory=list)
    now: float = 0.0

    def look(self, *, after: float = 0) -> list[str]:
        self.now += after
        return asyncio.run(self.strays.step())


def watch(world: World, folder: Path, *, hub_port: int = 0, bounds: Bounds | None = None) -> Watch:
    spool = Spool(folder, bounds=bounds)
    plans = Plans(Roots.under(world.home), world.settings.plan_key.with_suffix(".pub"))
    enclave = Enclave(world.home, hub_port or world.settings.hub_port, LONG)
    made = Watch(None, spool)  # type: ignore[arg-type] # each needs the other
    engine = Dockerd(Path("/var/run/docker.sock"))
    made.strays = Strays(engine, plans, spool, enclave=enclave, closed=made.closed.append, clock=lambda: made.now)
    return made


@pytest.fixture(scope="module")
def own() -> Iterator[World]:
    """A world of its own: these tests remove what they find."""
    with make_world() as made:
        yield made


@pytest.fixture
def mine(own: World) -> Iterator[Workspace]:
    running = own.run()
    yield running
    own.gate.revoke(running.plan.workspace_id)


def exists(workspace: Workspace) -> bool:
    client = docker.APIClient(version="1.41")
    try:
        client.inspect_container(workspace.container)
    except docker.errors.NotFound:
        return False
    finally:
        client.close()
    return True


def test_what_the_hub_asks_about_goes_on(own: World, mine: Workspace, tmp_path: Path) -> None:
    look = watch(own, tmp_path)
    for _ in range(4):
        assert look.look(after=LONG - 1) == []
        look.strays.asked(mine.plan.workspace_id)
    assert exists(mine)


def test_what_the_hub_has_forgotten_is_removed_with_an_event(own: World, mine: Workspace, tmp_path: Path) -> None:
    look = watch(own, tmp_path)
    assert look.look() == []
    assert look.look(after=LONG - 1) == []
    assert look.look(after=2) == ["unknown-to-the-hub"]
    assert not exists(mine)
    assert look.closed == [mine.plan.workspace_id]
    (event,) = look.spool.events()
    assert (event.kind, event.workspace_id) == ("stray-removed", mine.plan.workspace_id)
    assert event.details == {"why": "unknown-to-the-hub", "state": "running"}
    assert look.look(after=LONG) == []


def test_while_the_hub_is_away_nothing_is_removed_and_the_count_begins_anew(
    own: World, mine: Workspace, tmp_path: Path
) -> None:
    look = watch(own, tmp_path, hub_port=free_port())
    assert look.look() == look.look(after=100 * LONG) == []
    look.strays._enclave = Enclave(own.home, own.settings.hub_port, LONG)  # the hub is back
    assert look.look() == look.look(after=LONG - 1) == []
    assert exists(mine)
    assert look.look(after=2) == ["unknown-to-the-hub"]


def test_an_older_plan_goes_on_while_the_hub_asks_and_not_longer(own: World, mine: Workspace, tmp_path: Path) -> None:
    own.register(own.plan(workspace_id=mine.plan.workspace_id, memory_bytes=128 << 20))  # a start that never came
    look = watch(own, tmp_path)
    look.strays.asked(mine.plan.workspace_id)
    assert look.look(after=LONG - 1) == []
    assert look.look(after=LONG + 1) == ["unknown-to-the-hub"]
    assert not exists(mine)


def test_what_was_revoked_and_yet_runs_is_removed_at_once(own: World, mine: Workspace, tmp_path: Path) -> None:
    (own.settings.volumes / mine.plan.workspace_id / "current").unlink()  # as a gate that died while revoking
    assert watch(own, tmp_path).look() == ["revoked"]


def test_what_has_no_plan_any_more_is_removed_at_once(own: World, mine: Workspace, tmp_path: Path) -> None:
    shutil.rmtree(own.settings.volumes / mine.plan.workspace_id / "plans")
    assert watch(own, tmp_path).look() == ["no-plan"]


def test_a_container_that_was_made_and_never_started_does_not_stay(own: World, tmp_path: Path) -> None:
    plan = own.plan()
    own.register(plan)
    own.create(plan)
    look = watch(own, tmp_path)
    assert look.look() == []
    assert look.look(after=LONG + 1) == ["unknown-to-the-hub"]


def test_another_enclaves_workspace_is_left_alone(own: World, tmp_path: Path) -> None:
    label = ["--label", "ansim.workspace=w-other", "--label", "ansim.plan=" + "0" * 64]
    made = subprocess.run(
        ["docker", "create", *label, tiny_image(), "true"], capture_output=True, check=True, text=True
    )
    try:
        look = watch(own, tmp_path)
        assert look.look() == look.look(after=10 * LONG) == []
        subprocess.run(["docker", "inspect", made.stdout.strip()], check=True, capture_output=True)
    finally:
        subprocess.run(["docker", "rm", "-f", made.stdout.strip()], check=True, capture_output=True)


def test_stopping_does_not_wait_for_the_record(own: World, mine: Workspace, tmp_path: Path) -> None:
    look = watch(own, tmp_path, bounds=Bounds(events=0))
    (own.settings.volumes / mine.plan.workspace_id / "current").unlink()
    with pytest.raises(Unavailable):
        look.spool.put("w", "x", {})
    assert look.look() == ["revoked"]
    assert not exists(mine)


def test_the_gate_itself_counts_what_passes_its_filter_as_asking() -> None:
    with make_world(stray_seconds=4) as quick:
        mine = quick.run()
        client = quick.engine()
        for _ in range(8):
            until(lambda: client.inspect_container(mine.container)["State"]["Running"])
            subprocess.run(["sleep", "1"], check=True)
        client.close()
        assert exists(mine)
        until(lambda: not exists(mine), seconds=60)
        assert [each.details["why"] for each in quick.gate.events()] == ["unknown-to-the-hub"]
