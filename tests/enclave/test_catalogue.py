"""Data sets, snapshots and the lists that pages are made of."""

from __future__ import annotations

import shutil

import pytest

from enclave.actor import Actor
from enclave.commands import dataset
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.queries import dataset as queries
from enclave.queries import egress, people, project
from enclave.states import SnapshotState
from tests.enclave.scene import NOW, Scene

CONSOLE = Actor.console()


def register(scene: Scene, **changes: object):
    fields = {
        "dataset_id": "set-c",
        "organisation_id": "hospital-a",
        "title_ko": "다",
        "title_en": "",
        "description": "라",
    }
    return dataset.register_dataset(scene.store, CONSOLE, **{**fields, **changes}, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"dataset_id": "Set C"}, Invalid, "name.malformed"),
        ({"dataset_id": "../set"}, Invalid, "name.malformed"),
        ({"dataset_id": "set-a"}, Conflict, "dataset.taken"),
        ({"organisation_id": "nowhere"}, NotFound, "organisation.unknown"),
        ({"title_ko": ""}, Invalid, "input.missing"),
    ],
    ids=str,
)
def test_a_data_set_that_cannot_be_is_refused_with_its_own_code(shared, changes, error, code):
    with pytest.raises(error) as refused:
        register(shared, **changes)
    assert refused.value.code == code


def test_the_catalogue_shows_each_data_set_with_its_newest_snapshot(shared):
    found = {each.id: each for each in queries.datasets(shared.store, shared.actor("scientist"))}
    assert {"set-a", "set-b"} <= set(found)
    newest = found["set-a"].current
    assert (newest.state, newest.rows, newest.subjects) == (SnapshotState.PUBLISHED, 5, 2)
    assert newest.manifest.tables["patients"].columns["age"].treatment == "그대로"
    assert newest == queries.snapshot(shared.store, shared.actor("scientist"), newest.id)
    assert queries.dataset(shared.store, shared.actor("steward-a"), "set-a").may == {"receive_snapshot"}
    assert queries.dataset(shared.store, shared.actor("steward-b"), "set-a").may == set()
    with pytest.raises(NotFound):
        queries.snapshot(shared.store, shared.actor("scientist"), "0" * 64)


def test_publishing_the_same_snapshot_twice_is_one_snapshot_at_its_newest_place(shared, tmp_path):
    folder = shared.folders["set-a"]
    moved = shutil.copytree(folder, tmp_path / folder.name)
    key = shared.means.snapshot_key
    again = dataset.receive_snapshot(shared.store, CONSOLE, folder=moved, public_key=key, now=NOW)
    assert (again.id, again.path) == (folder.name, moved)
    back = dataset.receive_snapshot(shared.store, CONSOLE, folder=folder, public_key=key, now=NOW)
    assert len(queries.dataset(shared.store, CONSOLE, "set-a").snapshots) == 1
    assert back.path == folder


def test_a_damaged_snapshot_is_not_published_and_the_refusal_is_recorded(shared, tmp_path):
    folder = shared.folders["set-b"]
    copy = shutil.copytree(folder, tmp_path / folder.name)
    (copy / "data/visits/part-0.parquet").chmod(0o644)
    (copy / "data/visits/part-0.parquet").write_bytes(b"other bytes")
    with shared.new_entries() as entries, pytest.raises(Denied) as refused:
        dataset.receive_snapshot(shared.store, CONSOLE, folder=copy, public_key=shared.means.snapshot_key, now=NOW)
    assert (refused.value.code, "part-0.parquet" in refused.value.ko) == ("snapshot.damaged", True)
    assert [entry["reason"]["code"] for entry in entries] == ["snapshot.damaged"]


def test_a_snapshot_of_another_provider_than_its_data_sets_is_refused(database_url, tmp_path, monkeypatch):
    from tests.enclave import scene as scenes

    monkeypatch.setattr(scenes, "_SETS", {"set-a": "hospital-a"})
    made = scenes.build(database_url, tmp_path / "home")
    signer = scenes.Ed25519PrivateKey.generate()
    folder = scenes._snapshot(made.means.settings, signer, "set-a", "hospital-b")
    with pytest.raises(Conflict) as refused:
        dataset.receive_snapshot(made.store, CONSOLE, folder=folder, public_key=signer.public_key(), now=NOW)
    assert refused.value.code == "snapshot.other-provider"
    made.store.close()


def test_accounts_are_listed_for_those_who_oversee_and_everybody_sees_their_own(shared):
    listed = people.accounts(shared.store, shared.actor("reviewer"), now=NOW)
    assert [each.login for each in listed] == sorted(each.login for each in listed)
    assert people.account(shared.store, shared.actor("scientist"), "scientist", now=NOW).login == "scientist"
    for act in (
        lambda: people.accounts(shared.store, shared.actor("scientist"), now=NOW),
        lambda: people.account(shared.store, shared.actor("scientist"), "lead", now=NOW),
    ):
        with pytest.raises(Denied):
            act()
    assert "hospital-a" in {each.id for each in people.organisations(shared.store)}
    with pytest.raises(NotFound):
        people.actor(shared.store, "ghost", ip="1", session_id="s", now=NOW)


def test_all_projects_are_listed_for_those_who_oversee(shared):
    made = shared.applied()
    found = project.all_projects(shared.store, shared.actor("auditor"), now=NOW)
    assert made in {each.id for each in found}
    with pytest.raises(Denied):
        project.all_projects(shared.store, shared.actor("scientist"), now=NOW)
    with pytest.raises(NotFound):
        project.project(shared.store, shared.actor("auditor"), "p-none", now=NOW)


def test_a_release_nobody_has_is_not_found(shared):
    with pytest.raises(NotFound):
        egress.release(shared.store, shared.actor("auditor"), "r-none", now=NOW)
