"""A frozen project: nothing of it opens, nothing is asked for, nothing leaves, nothing is destroyed, by any way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from enclave.actor import Actor
from enclave.commands import destruction, ends, freeze, project, release, workspace
from enclave.errors import Conflict, Denied
from enclave.policy.ends import check_in_grace
from enclave.queries import ends as queries
from enclave.queries.ends import frozen_facts
from enclave.queries.workspace import load_workspace
from tests.enclave.scene import NOW, Scene

SYSTEM = Actor.system()


def frozen(scene: Scene, made: str) -> None:
    freeze.freeze_project(scene.store, scene.actor("steward-a"), project_id=made, reason="재식별 의심", now=NOW)


def thawed(scene: Scene, made: str) -> None:
    freeze.thaw_project(scene.store, scene.actor("steward-a"), project_id=made, reason="조사 종료", now=NOW)


def _collects(scene: Scene, made: str) -> Callable[[], object]:
    """What was approved before lies ready."""
    request = scene.submitted(made)
    scene.vote("checker-a", request)
    named = scene.vote("checker-b", request).release.id
    release.build(scene.store, scene.depot, release_id=named, now=NOW)
    return lambda: release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=named, now=NOW)


def _asks(scene: Scene, made: str) -> Callable[[], object]:
    """With no workspace at all, so that none is frozen."""
    return lambda: scene.submitted(made)


@pytest.mark.parametrize("way", [_collects, _asks])
def test_nothing_leaves_a_frozen_project_and_it_does_once_it_is_thawed(scene: Scene, way) -> None:
    made = scene.active()
    act = way(scene, made)
    frozen(scene, made)
    with pytest.raises(Denied) as refused:
        act()
    assert refused.value.code == "project.frozen"
    thawed(scene, made)
    act()


def test_a_workspace_that_froze_before_its_project_is_held_with_it(scene: Scene) -> None:
    made = scene.active()
    start = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW)
    name = start.workspace.id
    workspace.mark_started(scene.store, SYSTEM, workspace_id=name, container_id="c", now=NOW)
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=NOW)
    ends.begin_grace(scene.store, SYSTEM, workspace_id=name, days=7, now=NOW)
    frozen(scene, made)
    later = NOW + timedelta(days=400)
    assert name not in queries.due(scene.store, now=later)
    with scene.store.read() as session, pytest.raises(Denied) as refused:
        check_in_grace(frozen_facts(load_workspace(session, name)), NOW)
    assert refused.value.code == "ends.held"
    with pytest.raises(Conflict) as refused:
        destruction.request(scene.store, SYSTEM, workspace_id=name, now=later)
    assert refused.value.code == "ends.not-due"
    thawed(scene, made)
    assert name in queries.due(scene.store, now=later)
