"""A data subject withdrew: versions that hold them end by themselves, everybody concerned is told, nobody is named."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deid.versions.recalls import Recall, leave
from enclave import clock
from enclave.actor import Actor
from enclave.commands import workspace
from enclave.commands.recall import recall_snapshot
from enclave.errors import Conflict, Denied
from enclave.model.publication import TextSampleCase
from enclave.portal import recalling
from enclave.portal.parts import Portal
from enclave.queries import dataset as datasets
from enclave.queries import ends, project
from enclave.queries.recalls import ended_for
from enclave.states import SnapshotState
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_text_sample import built, look, receive
from tests.enclave.test_versions_end import opened

DAY = "2026-11-24"


@pytest.fixture
def take(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leave word of versions as `ansim deid withdraw` does, and let the portal's chore take it up."""
    monkeypatch.setattr(clock, "now", lambda: NOW)

    def taken(*recalls: Recall) -> list[str]:
        for each in recalls:
            leave(tmp_path, each)
        settings = SimpleNamespace(snapshot_keys=tmp_path)
        return recalling.take(cast("Portal", SimpleNamespace(store=scene.store, settings=settings)))

    return taken


def told(scene: Scene, name: str) -> Any:
    return ended_for(
        scene.store, scene.actor("scientist"), project.project(scene.store, scene.actor("scientist"), name, now=NOW)
    )


def test_a_version_that_held_them_ends_at_once_with_an_entry_for_it_and_for_each_project(scene: Scene, take) -> None:
    name = scene.active()
    space = opened(scene, name)
    snapshot = scene.folders["set-a"].name
    assert told(scene, name) == ()
    with scene.new_entries() as entries:
        assert take(Recall(snapshot, DAY, 2), Recall("f" * 64, DAY, 1)) == [snapshot]
        assert take() == [], "once"
    version, of_project = entries
    assert (version["action"], version["object"]["id"]) == ("snapshot.recall", snapshot)
    assert version["details"] == {
        "mounts_end": "now", "since": DAY, "projects": 1, "workspaces": 1, "running": 1, "files": 2, "plain": False,
    }  # fmt: skip
    assert (of_project["project"], of_project["object"]["sha256"]) == (name, snapshot)
    assert dict(ends.must_end(scene.store, now=NOW))[space].code == "workspace.snapshot-withdrawn"
    with pytest.raises(Denied) as refused:
        workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=name, now=NOW)
    assert refused.value.code == "workspace.snapshot-withdrawn"
    (ended,) = told(scene, name)
    assert (ended.snapshot_id, ended.by_subject, ended.runs_on, ended.newer) == (snapshot, True, False, None)


def test_what_runs_may_run_on_until_its_next_start_and_a_later_word_ends_it_now(scene: Scene, take) -> None:
    name = scene.active()
    space = opened(scene, name)
    snapshot = scene.folders["set-a"].name
    assert take(Recall(snapshot, DAY, 1, "next-start")) == [snapshot]
    assert dict(ends.must_end(scene.store, now=NOW)) == {}
    assert told(scene, name)[0].runs_on
    assert take(Recall(snapshot, DAY, 1, "now")) == [snapshot]
    assert space in dict(ends.must_end(scene.store, now=NOW))


def test_nobody_who_is_signed_in_recalls_and_what_has_ended_is_not_ended_again(scene: Scene, take) -> None:
    recall = Recall(scene.folders["set-a"].name, DAY, 1)
    for login in ("steward-a", "scientist"):
        with pytest.raises(Denied):
            recall_snapshot(scene.store, scene.actor(login), recall=recall, now=NOW)
    recall_snapshot(scene.store, Actor.console(), recall=recall, now=NOW)
    with pytest.raises(Conflict):
        recall_snapshot(scene.store, Actor.system(), recall=recall, now=NOW)


def test_a_version_under_review_ends_too_and_its_originals_go(scene: Scene, take, tmp_path: Path) -> None:
    made = receive(scene, *built(scene, tmp_path / "hospital"))
    assert look(scene, made).case.text
    assert take(Recall(made, DAY, 1)) == [made]
    assert datasets.snapshot(scene.store, Actor.console(), made).state is SnapshotState.WITHDRAWN
    with scene.store.read() as session:
        rows = session.query(TextSampleCase).filter_by(snapshot_id=made).all()
        assert rows
        assert all(row.sealed is None and row.note_sealed is None for row in rows)
