"""What the database says runs and the gate has not is recorded as stopped, but not at the first look."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enclave.actor import Actor
from enclave.commands import workspace
from enclave.errors import Unavailable
from enclave.portal.ended import Ended
from enclave.queries.workspace import by_id
from enclave.states import WorkspaceState
from tests.enclave.scene import NOW, Scene, build

SYSTEM = Actor.system()


@dataclass
class Gate:
    """Says what a gate's status says, as it is set to."""

    relays: dict[str, Any] = field(default_factory=dict)
    engine: bool = True
    away: bool = False

    def status(self) -> dict[str, Any]:
        if self.away:
            raise Unavailable("gate.unreachable", ko="-", en="-", remedy_ko="-", remedy_en="-")
        return {"engine": self.engine, "relays": self.relays}


@pytest.fixture
def scene(sqlite_url: str, tmp_path: Path) -> Any:
    made = build(sqlite_url, tmp_path / "home")
    yield made
    made.store.close()


def opened(scene: Scene, *, running: bool) -> str:
    actor, project = scene.actor("scientist"), scene.active()
    made = workspace.request_start(scene.store, scene.means, actor, project_id=project, now=NOW).workspace.id
    if running:
        workspace.mark_started(scene.store, SYSTEM, workspace_id=made, container_id="c" * 64, now=NOW)
    return made


def look(chore: Ended, scene: Scene, gate: Gate) -> list[str]:
    return chore.close(SimpleNamespace(gate=gate, store=scene.store))  # type: ignore[arg-type] # two of its parts


def test_what_is_missing_twice_is_recorded_as_stopped(scene: Scene) -> None:
    made, chore = opened(scene, running=True), Ended()
    assert look(chore, scene, Gate()) == []
    assert look(chore, scene, Gate()) == [made]
    assert by_id(scene.store, SYSTEM, made).state is WorkspaceState.STOPPED
    assert look(chore, scene, Gate()) == look(chore, scene, Gate()) == []


def test_what_only_opens_is_left_to_the_hub(scene: Scene) -> None:
    opened(scene, running=False)
    chore = Ended()
    assert look(chore, scene, Gate()) == look(chore, scene, Gate()) == []


@pytest.mark.parametrize("said", ["there", "no engine", "away"])
def test_what_is_there_or_cannot_be_told_goes_on(scene: Scene, said: str) -> None:
    made, chore = opened(scene, running=True), Ended()
    gate = Gate({made: {}} if said == "there" else {}, engine=said != "no engine", away=said == "away")
    assert look(chore, scene, gate) == look(chore, scene, gate) == []
    assert by_id(scene.store, SYSTEM, made).state is WorkspaceState.RUNNING
