"""Evidence as a page shows it: what it comes to first, differences before the rest, no text of a file taken as ours."""

from __future__ import annotations

import json

import pytest

from enclave.airlock.report import Evidence, Status
from enclave.portal.evidenced import shown
from enclave.portal.recipe_words import said

HEAD = ("place", "row", "column", "printed", "recomputed", "people", "largest share", "status")


def recomputed(status: Status, *last: str) -> Evidence:
    rows = [(f"R{n} C2", "F", "n", "20", "20", "20", "12.5%", each) for n, each in enumerate(last, start=2)]
    return Evidence(kind="recompute", title_ko="계산", title_en="made again", status=status, rows=(HEAD, *rows))


@pytest.mark.parametrize(
    ("status", "rules", "outcome"),
    [
        (Status.MATCH, set(), "match"),
        (Status.MISMATCH, {"recompute.number"}, "mismatch"),
        (Status.MISMATCH, {"recompute.label"}, "mismatch"),
        (Status.MISMATCH, {"recompute.small", "ledger.pair"}, "risky"),
        (Status.MISMATCH, {"recompute.small", "recompute.shape"}, "mismatch"),
        (Status.NONE, {"recompute.failed"}, "none"),
    ],
)
def test_true_numbers_that_tell_too_much_are_not_called_different(
    status: Status, rules: set[str], outcome: str
) -> None:
    assert shown(recomputed(status), rules).outcome == outcome


def test_what_differs_comes_first_then_what_discloses() -> None:
    found = shown(recomputed(Status.MISMATCH, "match", "recompute.small", "recompute.number"))
    assert [row.cells[-1] for row in found.rows] == ["recompute.number", "recompute.small", "match"]
    assert [(row.wrong, row.risky, row.same) for row in found.rows] == [
        (True, False, False), (False, True, False), (False, False, True)
    ]  # fmt: skip
    assert dict(found.facts)["review.cells_same"] == "2 / 3"


def test_the_fewest_people_are_told_as_a_bound_where_they_are_hidden() -> None:
    evidence = recomputed(Status.MISMATCH, "match", "recompute.small")
    small = (*evidence.rows[2][:5], "<10", "", "recompute.small")
    evidence = Evidence(kind="recompute", title_ko="", title_en="", status=Status.MISMATCH,
                        rows=(*evidence.rows[:2], small))  # fmt: skip
    assert dict(shown(evidence).facts) == {
        "review.cells_same": "2 / 2", "review.fewest_people": "<10", "review.largest_share": "12.5 %"
    }  # fmt: skip


def test_a_file_that_is_named_like_a_word_of_ours_stays_a_name() -> None:
    rows = (
        ("종류 kind", "사람 people", "반출 release", "신청 request", "과제 project", "파일 file", "칸 cells"),
        ("pair", "3", "이 신청 this request", "-", "p", "pair", "전체 everyone"),
    )
    [row] = shown(Evidence(kind="ledger", title_ko="", title_en="", status=Status.MISMATCH, rows=rows)).rows
    assert row.named == {0, 2}
    assert row.cells[5:] == ("pair", "전체 everyone")


def test_a_re_run_is_told_in_words_and_its_differences_as_they_are() -> None:
    rows = (("what", "found"), ("code", "plot.py"), ("compared", "다름 · different"), ("R2 C2", "20 → 21"))
    found = shown(Evidence(kind="rerun", title_ko="", title_en="", status=Status.MISMATCH, rows=rows))
    assert found.head == ("review.head_what", "review.head_found")
    assert [(row.cells[0], row.named) for row in found.rows] == [
        ("review.what_code", {0}), ("review.what_compared", {0}), ("R2 C2", set())
    ]  # fmt: skip


def test_a_recipe_is_told_in_words_and_anything_else_not_at_all() -> None:
    recipe = {
        "format": "ansim-recipe-v1", "kind": "table", "snapshot": "0" * 64, "dataset": "nafld", "table": "patients",
        "filter": [["age", ">=", 40], {"or": [["sex", "in", ["F", "M"]], ["ward", "null", None]]}], "keys": ["sex"],
        "columns": ["status"], "measures": [{"op": "count"}], "suppressed": {"below": 10},
        "rounding": {"counts": 5, "decimals": 2},
    }  # fmt: skip
    told = dict(said(json.dumps(recipe)))
    assert told["review.recipe_rows"] == "nafld/patients"
    assert told["review.recipe_filter"] == 'age >= 40 & (sex in ["F", "M"] or ward null)'
    assert (told["review.recipe_by"], told["review.recipe_hidden"], told["review.recipe_rounded"]) == (
        "sex × status", "< 10", "5"
    )  # fmt: skip
    assert said("") == said("{") == said('{"kind": "table"}') == ()
