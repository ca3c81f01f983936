"""What a notebook says about its files reaches the request and its hash; what it may compute with is told to it."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import select

from deid.versions.keystore import keys_of
from deid.versions.tables import open_table
from enclave.airlock.recipes.form import parse_recipe
from enclave.airlock.report import FileReport
from enclave.commands.content import CollectedFile, Content
from enclave.model.egress import OutputFile
from enclave.queries import dataset, workspace
from enclave.snapshot_keys import store_of
from tests.enclave.portal.test_inner_apis import GateOf, core, gate, inside, needs_root, outbox, place
from tests.enclave.portal.world import TABLE, World

__all__ = ["core", "gate", "place"]
CLIENT = Path(__file__).parents[3] / "enclave" / "notebook"


@needs_root
def test_a_workspace_is_told_which_snapshot_its_columns_are_of(world: World, place: workspace.WorkspaceView) -> None:
    told = inside(world, place).get("/data").json()
    ((name, source),) = told["datasets"].items()
    assert (told["min_cell"], source["snapshot"]) == (10, world.snapshot_id)
    assert name
    assert list(source["tables"].values()) == [["patient", "sex", "age", "amount"]]


@needs_root
def test_something_said_about_a_file_that_is_not_submitted_is_refused(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    names = outbox(gate, place, good=TABLE.encode())
    caller = inside(world, place)
    for about in ({"batch/other.csv": {}}, {names[0]: {"code": "batch/other.py"}}):
        answer = caller.post("/egress/preflight", json={"files": names, "about": about})
        assert (answer.status_code, answer.json()["code"]) == (422, "portal.about")
    answer = caller.post("/egress/preflight", json={"files": names, "about": {names[0]: {"verdict": "PASS"}}})
    assert answer.status_code == 422


@needs_root
def test_a_recipe_that_is_none_blocks_the_file(world: World, place: workspace.WorkspaceView, gate: GateOf) -> None:
    names = outbox(gate, place, good=TABLE.encode())
    about = {names[0]: {"recipe": {"format": "ansim-recipe-v1", "kind": "table"}}}
    told = inside(world, place).post("/egress/preflight", json={"files": names, "about": about}).json()
    assert (told["verdict"], told["files"][0]["findings"][0]["rule"]) == ("BLOCK", "recompute.recipe")


@pytest.fixture
def ansim(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The notebook client, with the world's data mounted."""
    data = tmp_path / "mounted" / "visits"
    data.mkdir(parents=True)
    found = dataset.snapshot(world.store, world.actor("mina"), world.snapshot_id)
    own = keys_of(found.manifest, store_of(world.settings))
    open_table(found.path, found.manifest, own, "visits").collect().write_parquet(data / "visits.parquet")
    monkeypatch.setenv("ANSIM_DATA", str(data.parent))
    monkeypatch.setenv("ANSIM_RECIPES", str(tmp_path / "recipes.jsonl"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(CLIENT))
    import ansim
    from ansim import frames

    monkeypatch.setattr("ansim.tabulating.source", lambda _: frames.Source(world.snapshot_id, 10))
    return ansim


@needs_root
def test_a_table_of_the_client_is_recomputed_before_and_at_submission(
    world: World, place: workspace.WorkspaceView, gate: GateOf, ansim: ModuleType
) -> None:
    made = ansim.table("visits/visits", "sex", values="amount", aggfunc=["count", "mean"])
    made.save("table.csv")
    honest = Path("table.csv").read_bytes()
    forged = honest.replace(b",20,", b",21,")
    assert forged != honest
    names = outbox(gate, place, honest=honest, forged=forged)
    about = {name: {"recipe": made.recipe} for name in names}
    caller = inside(world, place)
    told = caller.post("/egress/preflight", json={"files": names, "about": about}).json()
    good, bad = told["files"]
    assert (good["verdict"], good["findings"], good["evidence"]) == (
        "PASS", [], [{"kind": "recompute", "status": "match"}]
    )  # fmt: skip
    assert bad["evidence"] == [{"kind": "recompute", "status": "mismatch"}]
    assert {(one["rule"], one["place"]) for one in bad["findings"]} == {
        ("recompute.number", "R2 C2 (count(amount))"), ("recompute.number", "R3 C2 (count(amount))")
    }  # fmt: skip
    body = {"files": names, "about": about, "purpose": "표 2", "context": "성별 진료비", "key": "with-a-recipe-1"}
    asked = caller.post("/egress/submit", json=body).json()
    with world.store.read() as rows:
        files = {
            file.name: file for file in rows.scalars(select(OutputFile).where(OutputFile.request_id == asked["id"]))
        }
        stored = FileReport.from_json(files["honest.csv"].report or "")
    assert (files["honest.csv"].recomputed, files["forged.csv"].recomputed) == (True, False)
    assert (files["honest.csv"].verdict, files["forged.csv"].verdict) == ("PASS", "BLOCK")
    assert parse_recipe(json.loads(files["honest.csv"].recipe)) == parse_recipe(made.recipe)
    assert [row[4:6] for row in stored.evidence[0].rows[1::2]] == [("20", "20"), ("20", "20")]


@pytest.mark.parametrize("change", [{"recipe": "{}"}, {"code": "b.py"}], ids=str)
def test_recipe_and_code_are_part_of_what_votes_are_bound_to(change: dict[str, str]) -> None:
    plain, told = CollectedFile("a.csv", "0" * 64, 1), CollectedFile("a.csv", "0" * 64, 1, **change)
    first, second = (Content(files=[one], receiver_id="r", purpose="p", context="c").sha256() for one in (plain, told))
    assert first != second
