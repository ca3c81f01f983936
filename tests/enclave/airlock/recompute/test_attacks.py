"""Attempts to have a number released that the snapshot does not give, or that says something of too few people.

Through the whole door: a file on disk, two sealed processes, a signed snapshot.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave.airlock.checker import check
from enclave.airlock.ledger.asked import groups_of
from enclave.airlock.ledger.cells import Origin, Told
from enclave.airlock.ledger.conflicts import conflicts, everyone
from enclave.airlock.ledger.image import draw
from enclave.airlock.recipes.form import Recipe, TableRecipe
from enclave.airlock.recompute.door import Basis, recompute, with_recomputed
from enclave.airlock.recompute.frame import read_frame
from enclave.airlock.recompute.layout import Grouped, layout
from enclave.airlock.recompute.work import Recomputed
from enclave.airlock.report import FileReport, Severity, Status, Verdict
from enclave.airlock.rules import CheckRules
from tests.enclave.airlock.recompute.conftest import Make, recipe_of, saved, stored
from tests.enclave.airlock.recompute.hospital import Hospital, build

RULES = CheckRules()


@pytest.fixture
def ask(hospital: Hospital, tmp_path: Path) -> Any:
    """Save a table under a recipe and have it recomputed."""

    def run(recipe: Recipe, head: list[str], rows: list[list[str]], rules: CheckRules = RULES) -> Recomputed:
        path = saved(tmp_path, head, rows)
        return recompute(path, "table.csv", Basis(recipe, hospital.source, hospital.public_key), rules)

    return run


def rules_of(found: Recomputed) -> set[str]:
    return {one.rule for one in found.findings}


def counts(hospital: Hospital, wanted: Any) -> int:
    return sum(1 for row in hospital.tables["patients"].to_pylist() if wanted(row))


def by_sex(hospital: Hospital) -> list[list[str]]:
    return [[sex, str(counts(hospital, lambda row, sex=sex: row["sex"] == sex))] for sex in "FM"]


def test_an_honest_table_matches_and_needs_no_guess(hospital: Hospital, recipe: Make, ask: Any) -> None:
    found = ask(recipe(keys=["sex"], measures=[{"op": "count"}]), ["sex", "count"], by_sex(hospital))
    assert (found.findings, found.matches) == ((), True)
    (evidence,) = found.evidence
    assert evidence.status is Status.MATCH
    assert [row[3:6] for row in evidence.rows[1:]] == [(n, n, n) for _, n in by_sex(hospital)]
    assert [len(cell.people) for cell in found.cells] == [int(n) for _, n in by_sex(hospital)]


def test_a_forged_number_is_stopped_with_its_cell_and_without_the_true_one(
    hospital: Hospital, recipe: Make, ask: Any
) -> None:
    rows = by_sex(hospital)
    rows[1][1] = str(int(rows[1][1]) + 1)
    found = ask(recipe(keys=["sex"], measures=[{"op": "count"}]), ["sex", "count"], rows)
    (finding,) = found.findings
    assert (finding.rule, finding.severity, finding.place) == ("recompute.number", Severity.BLOCK, "R3 C2 (count)")
    assert by_sex(hospital)[1][1] not in finding.ko + finding.en + finding.sample
    assert found.evidence[0].status is Status.MISMATCH


@pytest.mark.parametrize("text", ["１２", "٣", "nan", "inf", "1e2", "0x10", "12 ", "+12", "012", "12,", "Ⅻ", ""])
def test_a_number_in_disguise_is_no_number(hospital: Hospital, recipe: Make, ask: Any, text: str) -> None:
    rows = by_sex(hospital)
    rows[0][1] = text
    found = ask(recipe(keys=["sex"], measures=[{"op": "count"}]), ["sex", "count"], rows)
    assert "recompute.number" in rules_of(found)


def test_a_recipe_for_another_population_is_found_by_its_numbers(hospital: Hospital, recipe: Make, ask: Any) -> None:
    honest = by_sex(hospital)
    for other in ([["age", ">=", 21]], [["region", "==", "광주"]], [["sex", "!=", "X"], ["smokes", "==", True]]):
        found = ask(recipe(keys=["sex"], measures=[{"op": "count"}], filter=other), ["sex", "count"], honest)
        assert "recompute.number" in rules_of(found), other


def test_equal_counts_of_other_people_are_told_apart_by_the_people(hospital: Hospital, recipe: Make, ask: Any) -> None:
    # Two filters with the same counts: the numbers cannot tell, so the ledger gets the true population of the recipe.
    patients = hospital.tables["patients"].to_pylist()
    ages = sorted({row["age"] for row in patients})
    size = {age: counts(hospital, lambda row, age=age: row["age"] == age) for age in ages}
    first, second = next((a, b) for a in ages for b in ages if a < b and size[a] == size[b])
    found = []
    for age in (first, second):
        wanted = recipe(keys=["age"], measures=[{"op": "count"}], filter=[["age", "==", age]])
        found.append(ask(wanted, ["age", "count"], [[str(age), str(size[age])]], CheckRules(min_cell=5)))
    one, other = (set(each.cells[0].people) for each in found)
    assert len(one) == len(other) == size[first]
    assert not one & other


def test_rounding_does_not_hide_how_few_they_are(hospital: Hospital, recipe: Make, ask: Any) -> None:
    few = recipe(
        keys=["sex"], measures=[{"op": "count"}], filter=[["age", "==", 33]], rounding={"counts": 100},
    )  # fmt: skip
    rows = [[sex, str((2 * n + 100) // 200 * 100)] for sex in "FM" if (n := counts(
        hospital, lambda row, sex=sex: row["sex"] == sex and row["age"] == 33))]  # fmt: skip
    found = ask(few, ["sex", "count"], rows)
    assert rules_of(found) == {"recompute.small"}


def test_means_without_counts_do_not_hide_how_few_they_are(hospital: Hospital, recipe: Make, ask: Any) -> None:
    rows = [row for row in hospital.tables["patients"].to_pylist() if row["age"] == 40 and row["score"] is not None]
    mean = sum(row["score"] for row in rows) / len(rows)
    wanted = recipe(keys=["age"], measures=[{"op": "mean", "column": "score"}], filter=[["age", "==", 40]])
    found = ask(wanted, ["age", "mean(score)"], [["40", f"{mean:.2f}"]])
    assert rules_of(found) == {"recompute.small"}
    assert {one.repairs for one in found.findings} == {("suppress",)}, "one click makes the table again without it"


def test_many_rows_of_few_people_are_few_people(tmp_path: Path) -> None:
    rows = {"patient": [f"{n % 4:032x}" for n in range(400)], "ward": ["A"] * 400}
    clinic = build(tmp_path, {"patients": pa.table(rows)})
    wanted = recipe_of(clinic, keys=["ward"], measures=[{"op": "count"}])
    path = saved(tmp_path, ["ward", "count"], [["A", "400"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert rules_of(found) == {"recompute.small"}
    assert found.evidence[0].rows[1][5] == "<10", "not even a checker is told how few"


@pytest.mark.parametrize(("top", "expected"), [(1.0, set()), (100_000.0, {"recompute.dominance"})])
def test_one_person_who_makes_the_sum_is_pointed_at(tmp_path: Path, top: float, expected: set[str]) -> None:
    paid = [top, *(10.0 + n % 3 for n in range(29))]
    table = pa.table({"patient": [f"{n:032x}" for n in range(30)], "ward": ["A"] * 30, "paid": paid})
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(clinic, keys=["ward"], measures=[{"op": "sum", "column": "paid"}])
    path = saved(tmp_path, ["ward", "sum(paid)"], [["A", f"{sum(paid):.2f}"]])
    for blocks, verdict in ((False, Severity.WARN), (True, Severity.BLOCK)):
        rules = CheckRules(dominance_blocks=blocks)
        found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), rules)
        assert rules_of(found) == expected
        assert {one.severity for one in found.findings} <= {verdict}


def test_a_minimum_is_one_persons_value_unless_many_share_it(tmp_path: Path) -> None:
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(60)], "ward": ["A", "B"] * 30,
        "visits": [1] * 58 + [7, 1],
    })  # fmt: skip
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(clinic, keys=["ward"], measures=[{"op": op, "column": "visits"} for op in ("min", "max")])
    path = saved(tmp_path, ["ward", "min(visits)", "max(visits)"], [["A", "1.00", "7.00"], ["B", "1.00", "1.00"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert [(one.rule, one.place) for one in found.findings] == [("recompute.extreme", "R2 C3 (max(visits))")]


FLAGS = {
    "three who smoke": (["1"] * 3 + ["0"] * 97, {"recompute.few-values"}),
    "three who do not": (["0"] * 3 + ["1"] * 97, {"recompute.few-values"}),
    "three of another number": (["7"] * 3 + ["2"] * 97, {"recompute.few-values"}),
    "four with stays, of any length": (["1", "2", "3", "4"] + ["0"] * 96, {"recompute.few-values"}),
    "nobody, as a count of none": (["0"] * 100, set()),
    "all of them": (["1"] * 100, set()),
    "enough of both": (["1"] * 10 + ["0"] * 90, set()),
    "enough with stays": ([str(n % 4) for n in range(100)], set()),
}


@pytest.mark.parametrize("op", ["sum", "mean"])
@pytest.mark.parametrize("case", FLAGS)
def test_a_sum_or_a_mean_is_no_count_of_a_few(tmp_path: Path, case: str, op: str) -> None:
    flags, expected = FLAGS[case]
    table = pa.table({"patient": [f"{n:032x}" for n in range(100)], "ward": ["A"] * 100, "flag": [*map(int, flags)]})
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(clinic, keys=["ward"], measures=[{"op": op, "column": "flag"}])
    value = sum(map(int, flags)) / (100 if op == "mean" else 1)
    path = saved(tmp_path, ["ward", f"{op}(flag)"], [["A", f"{value:.2f}"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert rules_of(found) - {"recompute.dominance"} == expected
    assert not expected or found.evidence[0].rows[1][4] == "", "not even a checker is told the sum"


def test_a_hidden_sum_of_few_is_not_given_back_by_its_line(tmp_path: Path) -> None:
    """3 of ward A smoke, 2 of B, 40 of C: the total less C's is a count of five."""
    smokers, wards = {"A": 3, "B": 2, "C": 40}, "ABC"
    rows = [(ward, int(n < smokers[ward])) for ward in wards for n in range(100)]
    own = [f"{n:032x}" for n in range(300)]
    table = pa.table({"patient": own, "ward": [ward for ward, _ in rows], "flag": [one for _, one in rows]})
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(clinic, keys=["ward"], measures=[{"op": "sum", "column": "flag"}], margins=True,
                       suppressed={"below": 10})  # fmt: skip
    path = saved(tmp_path, ["ward", "sum(flag)"], [["A", "*"], ["B", "*"], ["C", "40.00"], ["total", "45.00"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert "recompute.recoverable" in rules_of(found)


def grid(hospital: Hospital) -> list[list[str]]:
    regions = ["광주", "전남", "전북"]
    rows = [[str(counts(hospital, lambda row, s=s, r=r: (row["sex"], row["region"]) == (s, r))) for r in regions]
            for s in "FM"]  # fmt: skip
    rows = [[*row, str(sum(map(int, row)))] for row in rows]
    return [*rows, [str(sum(int(row[at]) for row in rows)) for at in range(4)]]


@pytest.mark.parametrize(
    ("hide", "declared", "expected"),
    [
        ([], True, set()),
        ([(0, 0)], True, {"recompute.suppressed"}),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], True, {"recompute.suppressed"}),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], False, {"recompute.suppressed"}),
    ],
    ids=["nothing", "one without need", "several that excuse each other", "hidden against the recipe"],
)
def test_what_is_hidden_must_be_declared_and_needed(
    hospital: Hospital, recipe: Make, ask: Any, hide: Sequence[tuple[int, int]], declared: bool, expected: set[str]
) -> None:
    rows = grid(hospital)
    for row, column in hide:
        rows[row][column] = "*"
    wanted = recipe(
        keys=["sex"], columns=["region"], measures=[{"op": "count"}], margins=True,
        suppressed={"below": 10} if declared else None,
    )  # fmt: skip
    head = ["sex", "region=광주", "region=전남", "region=전북", "total"]
    labelled = [[side, *row] for side, row in zip(["F", "M", "total"], rows, strict=True)]
    assert rules_of(ask(wanted, head, labelled)) == expected


def made_by(hospital: Hospital, recipe: TableRecipe) -> tuple[list[str], list[list[str]]]:
    """What the recipe truly makes, as a client of one's own would print it."""
    with stored(hospital, recipe) as tables:
        made = layout(Grouped(read_frame(tables, recipe.table, recipe.join, recipe.used), recipe))
    rows = [[*side, *[""] * (len(made.head) - len(side))] for side in made.sides]
    for spot in made.spots:
        rows[spot.row][spot.column] = min(spot.texts(recipe.rounding))
    return list(made.head), rows


PEOPLE = pa.table({
    "patient": pa.array([None, None, *(f"{n:032x}" for n in range(60))]),
    "weight": [50.0 + n / 7 for n in range(62)], "sex": ["F", "M"] * 31, "never": pa.array([None] * 62, pa.float64()),
})  # fmt: skip
ROWS_AS_TABLES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "all is hidden but the total": (
        {"keys": ["weight"], "measures": [{"op": "persons"}], "margins": True, "suppressed": {"below": 1}},
        {"persons": "*"},
    ),
    "counts of what nobody has": ({"keys": ["weight"], "measures": [{"op": "count", "column": "never"}]}, {}),
    "means of what nobody has": ({"keys": ["weight"], "measures": [{"op": "mean", "column": "never"}]}, {}),
    "a spread of one": ({"keys": ["weight", "sex"], "measures": [{"op": "std", "column": "weight"}]}, {}),
}


@pytest.mark.parametrize(("parts", "hide"), ROWS_AS_TABLES.values(), ids=list(ROWS_AS_TABLES))
def test_records_do_not_leave_as_the_labels_of_a_table(
    tmp_path: Path, parts: dict[str, Any], hide: dict[str, str]
) -> None:
    """Every number is true or empty, and the labels are what people weigh."""
    clinic = build(tmp_path, {"patients": PEOPLE})
    wanted = recipe_of(clinic, **parts)
    assert isinstance(wanted, TableRecipe)
    head, rows = made_by(clinic, wanted)
    if hide:
        rows = [[row[0], "*"] for row in rows[:-1]] + [rows[-1]]
    found = recompute(saved(tmp_path, head, rows), "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert "recompute.small" in {one.rule for one in found.findings if one.severity is Severity.BLOCK}


def test_rows_of_nobody_are_somebodys(tmp_path: Path) -> None:
    clinic = build(tmp_path, {"patients": PEOPLE})
    wanted = recipe_of(
        clinic, keys=["sex"], measures=[{"op": "mean", "column": "weight"}], filter=[["weight", "<=", 50.0]]
    )
    path = saved(tmp_path, ["sex", "mean(weight)"], [["F", "50.00"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    places = {one.place for one in found.findings if one.rule == "recompute.small"}
    assert places == {"R2 C1 (sex)", "R2 C2 (mean(weight))"}


def test_what_the_recipe_says_is_hidden_is_not_shown(hospital: Hospital, recipe: Make, ask: Any) -> None:
    """The ledger leaves out what is hidden; a number that is shown all the same would be forgotten."""
    rows = [[side, row[-1]] for side, row in zip("FM", grid(hospital), strict=False)]
    most = max(int(row[1]) for row in rows)
    wanted = recipe(keys=["sex"], measures=[{"op": "count"}], suppressed={"below": min(int(row[1]) for row in rows)})
    assert rules_of(ask(wanted, ["sex", "count"], rows)) == set()
    wanted = recipe(keys=["sex"], columns=["region"], measures=[{"op": "count"}], suppressed={"below": most // 2})
    head = ["sex", "region=광주", "region=전남", "region=전북"]
    shown = [[side, *row[:-1]] for side, row in zip("FM", grid(hospital), strict=False)]
    assert "recompute.suppressed" in rules_of(ask(wanted, head, shown))


def test_a_small_cell_that_totals_give_back_is_not_hidden(tmp_path: Path) -> None:
    people = [("A", "x")] * 20 + [("A", "y")] * 4 + [("B", "x")] * 20 + [("B", "y")] * 20
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(64)], "ward": [w for w, _ in people], "kind": [k for _, k in people],
    })  # fmt: skip
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(
        clinic, keys=["ward"], columns=["kind"], measures=[{"op": "count"}], margins=True, suppressed={"below": 10}
    )
    head = ["ward", "kind=x", "kind=y", "total"]

    def judged(*rows: list[str]) -> set[str]:
        path = saved(tmp_path, head, list(rows))
        return rules_of(recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES))

    assert judged(["A", "20", "4", "24"], ["B", "20", "20", "40"], ["total", "40", "24", "64"]) == {"recompute.small"}
    alone = judged(["A", "20", "*", "24"], ["B", "20", "20", "40"], ["total", "40", "24", "64"])
    assert alone == {"recompute.recoverable"}
    assert judged(["A", "*", "*", "24"], ["B", "*", "*", "40"], ["total", "40", "24", "64"]) == set()


def test_who_is_in_a_hidden_cell_is_no_part_of_what_is_let_out(tmp_path: Path) -> None:
    """Else a table with its small cells well hidden would be stopped by the ledger: cell and total differ by few."""
    kinds = [("A", "x")] * 20 + [("A", "y")] * 4 + [("B", "x")] * 20 + [("B", "y")] * 20
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(64)], "ward": [w for w, _ in kinds], "kind": [k for _, k in kinds],
    })  # fmt: skip
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(
        clinic, keys=["ward"], columns=["kind"], measures=[{"op": "count"}], margins=True, suppressed={"below": 10}
    )

    def let_out(*rows: list[str]) -> tuple[set[str], int]:
        path = saved(tmp_path, ["ward", "kind=x", "kind=y", "total"], list(rows))
        cells = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES).cells
        made = groups_of(wanted, cells, Origin(file="t.csv"), one_row_each=True, smallest=10)
        shown = {cell.label for cell in cells if cell.told is Told.CELL}
        return shown, len(conflicts(made, [draw(everyone(64), 64)], 10, people=64))

    margins = {"n · A · total", "n · B · total", "n · total · x", "n · total · y", "n · total · total"}
    hidden, found = let_out(["A", "*", "*", "24"], ["B", "*", "*", "40"], ["total", "40", "24", "64"])
    assert (hidden, found) == (margins, 0)
    shown, found = let_out(["A", "20", "*", "24"], ["B", "20", "20", "40"], ["total", "40", "24", "64"])
    assert shown > margins
    assert found > 0, "the shown cell and its total differ by four people"


def test_a_hidden_cell_of_nobody_protects_as_a_small_one_does(tmp_path: Path) -> None:
    """The four of A y are hidden with B y in their column, and B y with the empty B z in its row."""
    held = {"Ax": 20, "Ay": 4, "Az": 20, "Bx": 20, "By": 20, "Cx": 20, "Cy": 20, "Cz": 20}
    people = [cell for cell, count in held.items() for _ in range(count)]
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(144)], "ward": [c[0] for c in people], "kind": [c[1] for c in people],
    })  # fmt: skip
    clinic = build(tmp_path, {"patients": table})
    wanted = recipe_of(
        clinic, keys=["ward"], columns=["kind"], measures=[{"op": "persons"}], margins=True, suppressed={"below": 10}
    )
    rows = [["A", "20", "*", "*", "44"], ["B", "20", "*", "*", "40"], ["C", "20", "20", "20", "60"],
            ["total", "60", "44", "40", "144"]]  # fmt: skip
    path = saved(tmp_path, ["ward", "kind=x", "kind=y", "kind=z", "total"], rows)
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert found.findings == ()
    made = groups_of(wanted, found.cells, Origin(file="t.csv"), one_row_each=True, smallest=10)
    assert conflicts(made, [draw(everyone(144), 144)], 10, people=144) == ()


def test_a_row_of_too_few_people_is_not_even_named(hospital: Hospital, recipe: Make, ask: Any) -> None:
    # All cells hidden, but the labels alone would list every value of the column.
    few = sorted({row["age"] for row in hospital.tables["patients"].to_pylist()})
    wanted = recipe(keys=["age"], measures=[{"op": "count"}], suppressed={"below": 30})
    found = ask(wanted, ["age", "count"], [[str(age), "*"] for age in few])
    assert "recompute.shape" in rules_of(found)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"snapshot": "f" * 64}, "recompute.not-entitled"),
        ({"dataset": "other"}, "recompute.not-entitled"),
        ({"table": "nowhere"}, "recompute.not-entitled"),
        ({"keys": ["age"]}, "recompute.not-entitled"),
        ({"filter": [["age", ">", 1]]}, "recompute.not-entitled"),
        ({"bands": {"sex": {"column": "age", "cuts": [0, 9]}}}, "recompute.not-entitled"),
        ({"table": "labs", "join": "patients", "keys": ["patients.age"]}, "recompute.not-entitled"),
        ({"filter": [["sex", "==", 1]]}, "recompute.recipe"),
        ({"filter": [["sex", "==", "F') or ('1'=='1"]]}, "recompute.shape"),
        ({"measures": [{"op": "mean", "column": "region"}]}, "recompute.recipe"),
    ],
    ids=str,
)
def test_a_recipe_reads_what_was_approved_and_nothing_else(
    hospital: Hospital, tmp_path: Path, fields: dict[str, Any], rule: str
) -> None:
    columns = {"patients": ("sex", "region"), "labs": ("test", "value")}
    source = replace(hospital.source, columns=columns)
    wanted = recipe_of(hospital, **({"keys": ["sex"], "measures": [{"op": "count"}]} | fields))
    path = saved(tmp_path, ["sex", "count"], by_sex(hospital))
    found = recompute(path, "t.csv", Basis(wanted, source, hospital.public_key), RULES)
    assert rule in rules_of(found)
    assert not found.matches
    assert rules_of(recompute(path, "t.csv", Basis(wanted, None, hospital.public_key), RULES)) == {
        "recompute.not-entitled"
    }


def test_a_snapshot_that_is_not_as_signed_is_not_computed_with(
    hospital: Hospital, recipe: Make, tmp_path: Path
) -> None:
    wanted = recipe(keys=["sex"], measures=[{"op": "count"}])
    path = saved(tmp_path, ["sex", "count"], by_sex(hospital))
    copy = tmp_path / hospital.source.snapshot
    shutil.copytree(hospital.source.folder, copy)
    source = replace(hospital.source, folder=copy)
    assert recompute(path, "t.csv", Basis(wanted, source, hospital.public_key), RULES).matches
    part = copy / "data/patients/part-001.parquet"
    part.chmod(0o644)
    shutil.copy(copy / "data/patients/part-000.parquet", part)
    stranger = Ed25519PrivateKey.generate().public_key()
    for basis in (Basis(wanted, source, hospital.public_key), Basis(wanted, hospital.source, stranger)):
        found = recompute(path, "t.csv", basis, RULES)
        assert rules_of(found) == {"recompute.failed"}
        assert found.evidence[0].status is Status.NONE


@pytest.mark.parametrize("content", ["# sex,count\n\nF 1\n", "", "[[1]]", "a,b\n" + "1,2\n" * 3000], ids=range(4))
def test_what_is_not_one_table_has_no_recipe(hospital: Hospital, recipe: Make, tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.md"
    path.write_text(content)
    wanted = recipe(keys=["sex"], measures=[{"op": "count"}])
    for name in ("t.md", "t.csv", "t.json"):
        found = recompute(path, name, Basis(wanted, hospital.source, hospital.public_key), RULES)
        assert rules_of(found) & {"recompute.shape", "recompute.label"}, name
        assert not found.matches


def test_a_model_that_is_nearly_the_data_is_stopped(tmp_path: Path) -> None:
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(14)], "y": [float(n * n % 7) for n in range(14)],
        "ward": ["A"] * 12 + ["B"] * 2, **{f"x{k}": [float((n * k) % 11) for n in range(14)] for k in (1, 2, 3, 5)},
    })  # fmt: skip
    clinic = build(tmp_path, {"patients": table})
    terms = [["ward"], ["x1"], ["x2"], ["x3"], ["x5"]]
    wanted = recipe_of(clinic, kind="model", model="ols", response="y", terms=terms, categories={"ward": None})
    path = saved(tmp_path, ["term", "coef"], [["(intercept)", "1"]])
    found = recompute(path, "t.csv", Basis(wanted, clinic.source, clinic.public_key), RULES)
    assert {"recompute.freedom", "recompute.small"} <= rules_of(found)


def test_a_match_settles_guesses_and_nothing_else(hospital: Hospital, recipe: Make, ask: Any, tmp_path: Path) -> None:
    found = ask(recipe(keys=["sex"], measures=[{"op": "count"}]), ["sex", "count"], by_sex(hospital))
    path = tmp_path / "other.csv"
    path.write_text("sex,n\nF,3\nM,010-1234-5678\n")
    report = check(path, "other.csv", RULES)
    assert {"cell.small", "id.phone"} <= {one.rule for one in report.findings}
    joined = with_recomputed(report, found)
    assert {one.rule for one in joined.findings} == {one.rule for one in report.findings} - {"cell.small"}
    assert joined.verdict is Verdict.BLOCK
    assert FileReport.from_json(joined.to_json()) == joined
    wrong = replace(found, evidence=(replace(found.evidence[0], status=Status.MISMATCH),))
    assert "cell.small" in {one.rule for one in with_recomputed(report, wrong).findings}


def test_evidence_is_read_strictly(hospital: Hospital, recipe: Make, ask: Any) -> None:
    found = ask(recipe(keys=["sex"], measures=[{"op": "count"}]), ["sex", "count"], by_sex(hospital))
    report = json.loads(FileReport(name="a", sha256="", kind="table", evidence=found.evidence).to_json())
    for change in ({"status": "fine"}, {"rows": [[1]]}, {"rows": "x"}, {"title_ko": 3}, {"more": "x"}):
        damaged = {**report, "evidence": [{**report["evidence"][0], **change}]}
        with pytest.raises(ValueError):
            FileReport.from_json(json.dumps(damaged))
