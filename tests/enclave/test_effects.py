"""What was requested is ended in the log, also after a crash: taken up again, or closed as of unknown outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from enclave.actions import Action
from enclave.actor import Actor
from enclave.cli import ansim
from enclave.commands import drill, effects, release, workspace
from enclave.effects import EFFECTS, PATIENCE, REAPER
from enclave.errors import Conflict
from enclave.portal.chores import CHORES
from tests.enclave.scene import NOW, Scene

# Asked of somebody outside, who may never answer: nothing of ours is open meanwhile.
ASKED = {Action.LOG_WITNESS_ASK, Action.LOG_STAMP_ASK, Action.FINDING_ASK}


def test_every_act_that_is_requested_is_ended_by_an_entry_and_settled_by_somebody() -> None:
    requested = {action for action in Action if action.value.endswith("requested")}
    assert requested <= set(EFFECTS)
    chores = {chore.name for chore in CHORES}
    for action, effect in EFFECTS.items():
        assert effect.ends
        assert effect.by in chores or _is_command(effect.by), action
    assert {action for action, effect in EFFECTS.items() if effect.by == REAPER} == set(PATIENCE)


def _is_command(words: str) -> bool:
    program, group, *name = words.split()
    found = ansim.get_command(None, group)  # type: ignore[arg-type]
    within = name[0] in found.commands if name else True  # type: ignore[union-attr]
    return program == "ansim" and found is not None and within


def lost_workspace(scene: Scene) -> str:
    opened = workspace.request_start(
        scene.store, scene.means, scene.actor("scientist"), project_id=scene.active(), now=NOW
    )
    return opened.workspace.id


def lost_release(scene: Scene) -> str:
    asked = scene.submitted(scene.active(), scene.checked("a,b\n1,2\n"))
    scene.vote("checker-a", asked)
    return scene.vote("checker-b", asked).release.id


def lost_drill(scene: Scene) -> str:
    asked = drill.request_drill(scene.store, Actor.console(), now=NOW)
    drill.begin_drill(scene.store, Actor.system(), drill_id=asked.id, now=NOW)
    return asked.id


LOST: dict[Action, tuple[Callable[[Scene], str], str]] = {
    Action.WORKSPACE_REQUESTED: (lost_workspace, "workspace.failed"),
    Action.RELEASE_REQUESTED: (lost_release, "release.failed"),
    Action.DRILL_BEGIN: (lost_drill, "drill.failed"),
}


def test_every_effect_of_the_reaper_is_tried() -> None:
    assert set(LOST) == set(PATIENCE)


@pytest.mark.parametrize("requested", LOST)
def test_what_never_ended_is_closed_once_as_unknown_and_not_a_moment_early(scene: Scene, requested: Action) -> None:
    begin, ended = LOST[requested]
    name = begin(scene)
    late = NOW + PATIENCE[requested]
    assert effects.close_lost(scene.store, now=late) == ()
    with scene.new_entries() as entries:
        assert effects.close_lost(scene.store, now=late + timedelta(seconds=1)) == (name,)
        assert effects.close_lost(scene.store, now=late + timedelta(days=1)) == ()
    (entry,) = entries
    assert (entry["action"], entry["outcome"], entry["object"]["id"]) == (ended, "unknown", name)  # type: ignore[index]
    assert entry["reason"] == {"code": "effect.lost"}


def test_a_hub_that_comes_back_late_cannot_say_that_it_runs_and_it_can_be_opened_again(scene: Scene) -> None:
    name = lost_workspace(scene)
    later = NOW + timedelta(hours=1)
    effects.close_lost(scene.store, now=later)
    with pytest.raises(Conflict):
        workspace.mark_started(scene.store, Actor.system(), workspace_id=name, container_id="c", now=later)
    again = workspace.request_start(scene.store, scene.means, scene.actor("scientist", now=later), now=later)
    assert again.workspace.id == name


def test_a_release_that_was_closed_as_unknown_can_be_built_after_all(scene: Scene) -> None:
    name = lost_release(scene)
    effects.close_lost(scene.store, now=NOW + timedelta(hours=2))
    built = release.build(scene.store, scene.depot, release_id=name, now=NOW + timedelta(hours=2))
    assert built.state.value == "done"
