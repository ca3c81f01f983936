"""A file with a recipe is compared with the ledger when it is looked at and when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deid.manifest import Manifest
from deid.snapshot import publish, read_manifest
from deid.versions.keystore import keys_of
from deid.versions.tables import open_table
from enclave import keys
from enclave.airlock.recipes.form import Recipe, parse_recipe
from enclave.airlock.recompute.frame import Stored
from enclave.airlock.recompute.populations import populations
from enclave.airlock.recompute.snapshot import Source, opened
from enclave.airlock.report import FileReport
from enclave.commands.content import Checked, CollectedFile
from enclave.portal.comparing import compared
from enclave.queries import dataset, ledger, workspace
from enclave.queries.airlock_facts import load_request
from enclave.snapshot_keys import store_of
from tests.enclave.portal.test_inner_apis import GateOf, core, gate, inside, needs_root, outbox, place
from tests.enclave.portal.world import World

__all__ = ["core", "gate", "place"]
ALL, FEWER = b"sex,count\nF,20\nM,20\n", b"sex,count\nF,19\nM,18\n"


def recipe(world: World, least: int) -> dict[str, Any]:
    return {
        "format": "ansim-recipe-v1",
        "kind": "table",
        "snapshot": world.snapshot_id,
        "dataset": "visits",
        "table": "visits",
        "filter": [["amount", ">=", least]],
        "keys": ["sex"],
        "measures": [{"op": "count"}],
    }


@needs_root
def test_a_filter_that_leaves_three_people_out_is_told_in_the_notebook(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    names = outbox(gate, place, all=ALL, fewer=FEWER)
    about = {names[0]: {"recipe": recipe(world, 0)}, names[1]: {"recipe": recipe(world, 30)}}
    caller = inside(world, place)
    alone = caller.post("/egress/preflight", json={"files": names[:1], "about": {names[0]: about[names[0]]}}).json()
    assert [each for each in alone["files"][0]["findings"] if each["rule"].startswith("ledger.")] == []
    both = caller.post("/egress/preflight", json={"files": names, "about": about}).json()
    said = [[each for each in one["findings"] if each["rule"].startswith("ledger.")] for one in both["files"]]
    assert both["verdict"] == "BLOCK"
    assert all(said)
    assert any("전체 인원" in each["ko"] for each in said[1]), "everybody knows that there are forty"


@needs_root
def test_what_is_asked_for_is_kept_with_its_people(world: World, place: workspace.WorkspaceView, gate: GateOf) -> None:
    names = outbox(gate, place, all=ALL)
    body = {"files": names, "about": {names[0]: {"recipe": recipe(world, 0)}}, "purpose": "논문 표 1"}
    answer = inside(world, place).post(
        "/egress/submit", json=body | {"context": "성별 인원", "key": "key-of-this-test"}
    )
    assert answer.status_code == 200, answer.text
    with world.store.read() as session:
        found = load_request(session, answer.json()["id"])
        assert [one.rule for file in found.files for one in file.findings if one.rule.startswith("ledger.")] == []
        assert (ledger.listed(session, "visits"), ledger.version(session, "visits")) == (40, 0)
        rows = session.query(ledger.LedgerGroup).all()
        assert [(each.measure, each.file_name, [cell.size for cell in each.cells]) for each in rows] == [
            ("persons", "all.csv", [20, 20])
        ]


def folder_of(world: World) -> Path:
    return dataset.snapshot(world.store, world.actor("jiwoo"), world.snapshot_id).path


def next_version(world: World, tmp_path: Path, *, without: int) -> Source:
    """The next signed version of the data set, in which the first few people are no more."""
    old = folder_of(world)
    manifest = read_manifest(old, keys.load_public_key(world.settings.snapshot_public_key))
    (tmp_path / "data/visits").mkdir(parents=True)
    store = store_of(world.settings)
    rows = open_table(old, manifest, keys_of(manifest, store), "visits").collect()[without:]
    rows.write_parquet(tmp_path / "data/visits/part-000.parquet")
    for name in ("report.html", "risk.json"):
        (tmp_path / name).write_bytes((old / name).read_bytes())
    table = replace(manifest.tables["visits"], rows=len(rows), subjects=len(rows))
    changed: Manifest = replace(manifest, id="", tables={"visits": table}, files={}, recipe_version=2)
    key = keys.load_signing_key(world.settings.keys / "snapshot.key")
    world.settings.snapshots.mkdir(exist_ok=True)
    folder, signed = publish(tmp_path, world.settings.snapshots, changed, key)
    return Source("visits", signed.id, folder, {"visits": ("sex", "age", "amount")})


def file_of(world: World, name: str, recipe: Recipe, source: Source) -> tuple[Checked, Recipe]:
    public_key = keys.load_public_key(world.settings.snapshot_public_key)
    with opened(source, recipe, public_key) as tables:
        cells = populations(recipe, {table: Stored(one.descriptors, one.person) for table, one in tables.items()})
    report = FileReport(name=name, sha256="", kind="table")
    return Checked(CollectedFile(name, "", 1), report, tuple(cells)), recipe


@pytest.mark.parametrize(("without", "told"), [(4, True), (0, False), (20, False)])
def test_two_files_of_one_request_about_two_versions_of_the_data_are_compared_with_each_other(
    world: World, tmp_path: Path, without: int, told: bool
) -> None:
    older = Source("visits", world.snapshot_id, folder_of(world), {}, store_of(world.settings))
    newer = next_version(world, tmp_path / "unsigned", without=without)
    # Among those of one amount and more, so that it is not the number of all people that tells the difference.
    some = [
        {**recipe(world, 0), "snapshot": each.snapshot, "filter": [["amount", "<", 250]]} for each in (older, newer)
    ]
    files = [
        file_of(world, name, parse_recipe(each), source)
        for name, each, source in zip(("old.csv", "new.csv"), some, (older, newer), strict=True)
    ]
    found = compared(world.portal, world.project_id, files, (older, newer), smallest=5)
    assert [any(each.rule.startswith("ledger.") for each in one.report.findings) for one in found] == [told, told]
