"""Closing what nobody uses, with the gate's own code on a real container: the idle one goes, the working one stays."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from enclave import clock
from enclave.actor import Actor
from enclave.commands.workspace import mark_started
from enclave.portal.culling import Culling
from enclave.queries import workspace
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.portal.test_inner_apis import Core, GateOf, core, gate, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import World

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="volumes are mounted by root"),
    pytest.mark.docker,
]
BUSY = "while True: pass"
QUIET = "import time; time.sleep(600)"


class Container:
    """A container under the workspace's name; what it runs may be exchanged."""

    def __init__(self, workspace_id: str) -> None:
        self.name = f"ansim-{workspace_id}"

    def runs(self, code: str) -> None:
        self.end()
        command = ["docker", "run", "-d", "--name", self.name, "--network=none", tiny_image(), "python3.11", "-c", code]
        subprocess.run(command, check=True, capture_output=True)

    @property
    def is_there(self) -> bool:
        return subprocess.run(["docker", "inspect", self.name], capture_output=True, check=False).returncode == 0

    def end(self) -> None:
        subprocess.run(["docker", "rm", "-f", self.name], capture_output=True, check=False)


@pytest.fixture
def container(world: World, gate: GateOf, place: workspace.WorkspaceView) -> Iterator[Container]:  # noqa: F811
    mark_started(world.store, Actor.system(), workspace_id=place.id, container_id="c", now=clock.now())
    made = Container(place.id)
    yield made
    made.end()


def test_the_idle_one_is_closed_and_the_working_one_is_not(
    world: World, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    culling, ahead = Culling(), timedelta(0)
    real = clock.now

    def moved() -> datetime:
        return real() + ahead

    monkeypatch.setattr(clock, "now", moved)
    container.runs(BUSY)
    assert culling.cull(world.portal) == []
    # Looked at again and again, a working kernel puts the beginning of idleness off each time.
    for _ in range(2):
        time.sleep(1)
        assert culling.cull(world.portal) == []
        (known,) = culling._known.values()
        assert known.idle_since == known.last.at
    container.runs(QUIET)
    assert culling.cull(world.portal) == []
    ahead = timedelta(hours=world.settings.cull_hours) - timedelta(minutes=1)
    assert culling.cull(world.portal) == []
    assert container.is_there
    ahead = timedelta(hours=world.settings.cull_hours, minutes=1)
    assert culling.cull(world.portal) == [container.name.removeprefix("ansim-")]
    assert not container.is_there
    (seen,) = workspace.mine(world.store, world.actor("mina"))
    assert (seen.state.value, seen.reason) == ("stopped", "workspace.idle")
