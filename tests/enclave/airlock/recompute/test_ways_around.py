"""Ways around the ledger: two files of which each is harmless, made so that their difference would not be looked at.

In every attack the second file leaves out one woman or man whom a yes or no of the data picks out. Beside each stands
what an honest person would do, which must pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from enclave.airlock.document import Table
from enclave.airlock.ledger.asked import groups_of
from enclave.airlock.ledger.cells import Group, Origin
from enclave.airlock.ledger.conflicts import Conflict, conflicts, everyone
from enclave.airlock.ledger.image import draw
from enclave.airlock.recipes.form import ModelRecipe, Recipe, TableRecipe
from enclave.airlock.recompute import regress
from enclave.airlock.recompute.frame import read_frame
from enclave.airlock.recompute.populations import populations
from enclave.airlock.recompute.work import model_table, recompute
from enclave.airlock.rules import CheckRules
from tests.enclave.airlock.recompute.conftest import recipe_of, stored
from tests.enclave.airlock.recompute.hospital import Hospital, build
from tests.enclave.airlock.recompute.test_attacks import made_by

COUNT, K = 1600, 10
OUT = 7
AWAY = [["alone", "==", False]]
PERSONS = [{"op": "persons"}]
# Hiding without need is another rule's; where a committee lets it pass, the ledger must know all the same.
ELSEWHERE = {"recompute.suppressed"}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """1,600 people, two hundred in each cell of sex and region; the eighth is alone."""
    rng = np.random.default_rng(24)
    names = [f"{n:032x}" for n in range(COUNT)]
    people = {
        "patient": names, "sex": ["FM"[n % 2] for n in range(COUNT)],
        "region": ["ABCD"[n // 2 % 4] for n in range(COUNT)], "age": rng.integers(20, 30, COUNT).tolist(),
        "weight": rng.normal(60, 9, COUNT).round(3).tolist(), "n": rng.normal(5, 1, COUNT).tolist(),
        "a · b": rng.normal(5, 1, COUNT).tolist(), "q.r": [1.5 * n for n in range(COUNT)],
        "alone": [n == OUT for n in range(COUNT)], "smokes": [n % 3 == 0 for n in range(COUNT)],
        "smokes_not": [n % 3 != 0 for n in range(COUNT)],
        "code": [1 + n % 2 for n in range(COUNT)],
        "thin": pa.array([None if n < 4 else float(n % 9) for n in range(COUNT)]),
    }  # fmt: skip
    more = {"patient": names, "one": [1.0] * COUNT}
    return build(tmp_path_factory.mktemp("ways"), {"patients": pa.table(people), "more": pa.table(more)})


def let_out(clinic: Hospital, recipe: Recipe, name: str, hide: frozenset[tuple[int, int]] = frozenset()) -> list[Group]:
    """What the ledger would keep of an honest file of a recipe, in which some numbers are hidden."""
    if isinstance(recipe, TableRecipe):
        head, rows = made_by(clinic, recipe)
        for row, column in hide:
            rows[row][column] = "*"
    else:
        head, rows = _model(clinic, recipe)
    with stored(clinic, recipe) as tables:
        found = recompute(Table(tuple(head), tuple(map(tuple, rows))), recipe, tables, CheckRules())
    assert {one.rule for one in found.findings} <= ELSEWHERE, "the numbers are true"
    return list(groups_of(recipe, found.cells, Origin(file=name), one_row_each=True, smallest=K))


def _model(clinic: Hospital, recipe: ModelRecipe) -> tuple[list[str], list[list[str]]]:
    with stored(clinic, recipe) as tables:
        made = regress.design(read_frame(tables, recipe.table, recipe.join, recipe.used), recipe)
    wanted = model_table(made, regress.fit(made, recipe.model), recipe)
    width = len(wanted.head)
    return list(wanted.head), [
        [*side, *(min(wanted.cells[row, column]) for column in range(1, width))]
        for row, side in enumerate(wanted.sides)
    ]


def told_together(first: list[Group], second: list[Group]) -> tuple[Conflict, ...]:
    """What the second gives away after the first is out."""
    old = [draw(group, COUNT) for group in [*first, everyone(COUNT)]]
    return conflicts(second, old, K, people=COUNT)


def table(**fields: Any) -> dict[str, Any]:
    return {"keys": ["sex"], "measures": PERSONS} | fields


CROSS = table(keys=["region"], columns=["sex"], margins=True, suppressed={"below": K})
DEEP = table(keys=["region"], margins=True, suppressed={"below": K})
ONE_CELL = {"filter": [*AWAY, ["region", "==", "D"], ["sex", "==", "M"]]}
MEN = table(**ONE_CELL)
TWO_REGIONS = [["region", "in", ["C", "D"]]]
OLS = {"kind": "model", "model": "ols", "response": "weight", "terms": [["sex"], ["region"], ["sex", "region"]],
       "categories": {"sex": None, "region": None}}  # fmt: skip


def summed(column: str, **fields: Any) -> dict[str, Any]:
    return table(measures=[{"op": "sum", "column": column}], **fields)


Hide = frozenset[tuple[int, int]]
NONE: Hide = frozenset()
WAYS: Mapping[str, tuple[dict[str, Any], Hide, dict[str, Any], dict[str, Any]]] = {
    # name: what is out, what it hides, and what is asked for without and with the one who is alone
    "a bound far above what the file hides": (
        table(suppressed={"below": 300}, columns=["region"]), NONE,
        table(suppressed={"below": 300}, columns=["region"], filter=AWAY),
        table(suppressed={"below": 300}, columns=["region"]),
    ),
    "large cells hidden beside each other, given back by their columns": (
        CROSS, frozenset({(3, 1), (3, 2)}), MEN, table(filter=ONE_CELL["filter"][1:]),
    ),
    "large cells hidden in the only line": (
        DEEP, frozenset({(2, 1), (3, 1)}), table(keys=["smokes"], filter=[*AWAY, *TWO_REGIONS]),
        table(keys=["smokes"], filter=TWO_REGIONS),
    ),
    "a block of large cells, of which a line is known as a sum": (
        CROSS, frozenset({(row, column) for row in (2, 3) for column in (1, 2)}),
        table(keys=["smokes"], filter=[*AWAY, ["sex", "==", "M"], *TWO_REGIONS]),
        table(keys=["smokes"], filter=[["sex", "==", "M"], *TWO_REGIONS]),
    ),
    "a count with a join that adds nothing": (
        table(), NONE, table(measures=[{"op": "count"}], join="more", filter=AWAY),
        table(measures=[{"op": "count"}], join="more"),
    ),
    "the sum of a key": (
        table(keys=["age"]), NONE, summed("age", keys=["age"], filter=AWAY), summed("age", keys=["age"]),
    ),
    "the sum of a yes or no": (
        table(filter=[["smokes", "==", False]]), NONE, summed("smokes_not", filter=AWAY), summed("smokes_not"),
    ),
    "the sum of ones and twos": (
        table(keys=["region"], filter=[["sex", "==", "M"]]), NONE,
        summed("code", keys=["region"], filter=AWAY), summed("code", keys=["region"]),
    ),
    "a column called n": (summed("n"), NONE, summed("n", filter=AWAY), summed("n")),
    "a column with a separator in its name": (summed("a · b"), NONE, summed("a · b", filter=AWAY), summed("a · b")),
    "a column with a point in its name": (summed("q.r"), NONE, summed("q.r", filter=AWAY), summed("q.r")),
    "the counts of a model's levels": (OLS, NONE, MEN, table(filter=ONE_CELL["filter"][1:])),
    "the sums of a model's levels": (
        OLS, NONE, summed("weight", **ONE_CELL), summed("weight", filter=ONE_CELL["filter"][1:]),
    ),
    "the sums of the margins of a model without products": (
        OLS | {"terms": [["sex"], ["region"]]}, NONE, summed("weight", filter=AWAY), summed("weight"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("out", "hide", "attack", "honest"), WAYS.values(), ids=list(WAYS))
def test_a_way_around_the_ledger_is_closed_and_its_honest_twin_passes(
    clinic: Hospital, out: dict[str, Any], hide: Hide, attack: dict[str, Any], honest: dict[str, Any]
) -> None:
    first = let_out(clinic, recipe_of(clinic, **out), "out.csv", hide)
    # Everybody knows all people: without them, so that it is the first file that tells the difference.
    old = [draw(group, COUNT) for group in first]
    asked = let_out(clinic, recipe_of(clinic, **attack), "new.csv")
    found = conflicts(asked, old, K, people=COUNT)
    assert any(each.people == 1 and not any(part.origin.model for part in each.parts) for each in found)
    assert told_together(first, let_out(clinic, recipe_of(clinic, **honest), "new.csv")) == ()


def test_either_file_may_be_the_first(clinic: Hospital) -> None:
    for out, hide, attack, _ in WAYS.values():
        first = let_out(clinic, recipe_of(clinic, **attack), "first.csv")
        asked = let_out(clinic, recipe_of(clinic, **out), "second.csv", hide)
        assert conflicts(asked, [draw(group, COUNT) for group in first], K, people=COUNT)


def test_what_one_line_after_another_gives_back_is_known_as_a_cell_of_its_own(clinic: Hospital) -> None:
    """Women of D and men of C are alone in a line each; then the men of D are the only ones left open in theirs."""
    crossed = recipe_of(clinic, **CROSS)
    kept = let_out(clinic, crossed, "out.csv", frozenset({(2, 2), (3, 1), (3, 2)}))
    assert "n · D · M" in {cell.label for group in kept for cell in group.cells}
    corners = let_out(clinic, crossed, "out.csv", frozenset({(2, 1), (2, 2), (3, 1), (3, 2)}))
    assert "n · D · M" not in {cell.label for group in corners for cell in group.cells}


def test_a_model_that_lacks_a_few_values_is_for_a_persons_eye_beside_a_table_of_all(clinic: Hospital) -> None:
    """Four people have no value of a term: every honest Table 1 differs from the regression by them."""
    first = let_out(clinic, recipe_of(clinic, **table(columns=["region"])), "table1.csv")
    asked = let_out(
        clinic, recipe_of(clinic, **OLS | {"terms": [["sex"], ["thin"]], "categories": {"sex": None}}), "m.csv"
    )
    found = told_together(first, asked)
    assert {part.origin.model for each in found for part in each.parts if part.new} == {True}
    means = let_out(clinic, recipe_of(clinic, **summed("weight")), "sums.csv")
    assert any(not part.origin.model for each in told_together(means, asked) for part in each.parts if part.new)


@pytest.fixture
def two_names(tmp_path: Path) -> Hospital:
    """A snapshot whose tables name the person differently; the visits know people whom the patients do not."""
    patients = {"patient": [f"{n:032x}" for n in range(5, 45)], "sex": ["F", "M"] * 20}
    visits = {"subject": [f"{n:032x}" for n in range(60)], "ward": ["A", "B", "C"] * 20}
    return build(tmp_path, {"patients": pa.table(patients), "visits": pa.table(visits)})


def test_a_person_has_one_place_whichever_table_is_asked_first(two_names: Hospital) -> None:
    found = {}
    for name, key in (("patients", "sex"), ("visits", "ward")):
        wanted = recipe_of(two_names, table=name, **table(keys=[key]))
        with stored(two_names, wanted) as tables:
            found[name] = set().union(*(cell.people for cell in populations(wanted, tables)))
    assert found == {"patients": set(range(5, 45)), "visits": set(range(60))}
