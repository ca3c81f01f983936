"""A file with a recipe is compared with the ledger when it is looked at and when it is asked for."""

from __future__ import annotations

from typing import Any

from enclave.queries import ledger, workspace
from enclave.queries.airlock_facts import load_request
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
