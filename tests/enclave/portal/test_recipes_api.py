"""What a notebook says about its files reaches the request and its hash; what it may compute with is told to it."""

from __future__ import annotations

import pytest

from enclave.commands.content import CollectedFile, Content
from enclave.queries import workspace
from tests.enclave.portal.test_inner_apis import GateOf, core, gate, inside, needs_root, outbox, place
from tests.enclave.portal.world import TABLE, World

__all__ = ["core", "gate", "place"]


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


@pytest.mark.parametrize("change", [{"recipe": "{}"}, {"code": "b.py"}], ids=str)
def test_recipe_and_code_are_part_of_what_votes_are_bound_to(change: dict[str, str]) -> None:
    plain, told = CollectedFile("a.csv", "0" * 64, 1), CollectedFile("a.csv", "0" * 64, 1, **change)
    first, second = (Content(files=[one], receiver_id="r", purpose="p", context="c").sha256() for one in (plain, told))
    assert first != second
