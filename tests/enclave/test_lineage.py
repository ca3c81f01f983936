"""Which releases came from one version of a data set, and who may ask (korea.md R72)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from enclave.commands import release as release_commands
from enclave.errors import Denied, NotFound
from enclave.queries import egress
from enclave.queries.airlock_facts import load_request
from enclave.queries.lineage import releases_from
from enclave.queries.project import load_project
from tests.enclave.scene import NOW, Scene


@pytest.fixture
def snapshot(scene: Scene) -> str:
    with scene.store.read() as session:
        return load_project(session, scene.usual()).columns[0].snapshot_id


def recipe(snapshot_id: str) -> str:
    return json.dumps({"kind": "table", "snapshot": snapshot_id})


def let_out(scene: Scene, *recipes: str) -> str:
    files = []
    for number, said in enumerate(recipes):
        checked = scene.checked(f"연령,수\n40대,{50 + number}\n", f"표{number}.csv")
        files.append(replace(checked, file=replace(checked.file, recipe=said)))
    made = scene.submitted(scene.usual(), *files)
    for login in ("checker-a", "checker-b"):
        scene.vote(login, made)
    with scene.store.read() as session:
        release = load_request(session, made).release
        assert release is not None
        return release.id


def test_a_recipe_makes_it_certain_and_without_one_it_is_possible(scene: Scene, snapshot: str):
    release = let_out(scene, recipe(snapshot), "", recipe("f" * 64))
    [found] = releases_from(scene.store, scene.actor("steward-a"), snapshot, now=NOW)
    assert (found.release_id, found.certain) == (release, True)
    assert [(file.name, file.certain) for file in found.files] == [("표0.csv", True), ("표1.csv", False)]


def test_what_reads_another_version_only_is_not_listed(scene: Scene, snapshot: str):
    let_out(scene, recipe("f" * 64))
    assert releases_from(scene.store, scene.actor("steward-a"), snapshot, now=NOW) == ()


def test_what_was_asked_for_and_did_not_leave_is_not_listed(scene: Scene, snapshot: str):
    scene.submitted(scene.usual(), scene.checked())
    assert releases_from(scene.store, scene.actor("steward-a"), snapshot, now=NOW) == ()


@pytest.mark.parametrize("login", ["steward-a", "owner", "auditor", "reviewer"])
def test_who_looks_after_the_data_or_oversees_the_log_may_ask(scene: Scene, snapshot: str, login: str):
    let_out(scene, recipe(snapshot))
    assert len(releases_from(scene.store, scene.actor(login), snapshot, now=NOW)) == 1


@pytest.mark.parametrize("login", ["steward-b", "steward-own", "checker-a", "scientist", "lead", "operator", "nobody"])
def test_nobody_else_may_ask(scene: Scene, snapshot: str, login: str):
    with pytest.raises(Denied):
        releases_from(scene.store, scene.actor(login), snapshot, now=NOW)


def test_a_snapshot_that_is_not_there_is_told_as_such(scene: Scene):
    with pytest.raises(NotFound):
        releases_from(scene.store, scene.actor("auditor"), "0" * 64, now=NOW)


def test_the_providers_steward_recalls_what_came_from_the_version_and_sees_who_has_not_confirmed(
    scene: Scene, snapshot: str
):
    release_id = let_out(scene, recipe(snapshot))
    release_commands.build(scene.store, scene.depot, release_id=release_id, now=NOW)
    steward = scene.actor("steward-a")
    [before] = releases_from(scene.store, steward, snapshot, now=NOW)
    assert before.may == {"recall"}
    shown = egress.release(scene.store, steward, release_id, now=NOW)
    assert "recall" in shown.may, "the steward reaches the form"
    release_commands.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=release_id, now=NOW)
    release_commands.recall(scene.store, scene.depot, steward, release_id=release_id, reason="원천 자료 정정", now=NOW)
    [after] = releases_from(scene.store, steward, snapshot, now=NOW)
    assert (after.state, after.unconfirmed, after.may) == ("recalled", 1, frozenset())


def test_another_providers_steward_sees_no_release_page(scene: Scene, snapshot: str):
    release_id = let_out(scene, recipe(snapshot))
    with pytest.raises(Denied):
        egress.release(scene.store, scene.actor("steward-b"), release_id, now=NOW)
