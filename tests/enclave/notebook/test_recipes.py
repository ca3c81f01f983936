"""Tables and models in the notebook: what is written in Python becomes data, files remember how they were made."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclave.airlock.checker import check_content
from enclave.airlock.recipes.form import parse_recipe
from enclave.airlock.rules import CheckRules
from tests.enclave.notebook.test_client import PASSED, Portal, importable, portal, write

__all__ = ["importable", "portal"]
SNAPSHOT = "5" * 64


@pytest.fixture
def ansim(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The client in a workspace with forty visits of forty people."""
    (tmp_path / "data/visits").mkdir(parents=True)
    table = pa.table({
        "patient": [f"{n:032x}" for n in range(40)], "sex": ["F", "M"] * 20, "ward": ["A"] * 36 + ["B"] * 4,
        "paid": [n * 10.0 for n in range(40)],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "data/visits/visits.parquet")
    monkeypatch.setenv("ANSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ANSIM_RECIPES", str(tmp_path / "home/recipes.jsonl"))
    import ansim
    from ansim import frames, recipes

    frames.source.cache_clear()
    recipes._MADE.clear()
    portal.answer = {"min_cell": 10, "datasets": {"visits": {"snapshot": SNAPSHOT, "tables": {}}}}
    yield ansim
    frames.source.cache_clear()


WRITTEN: list[tuple[Any, Any]] = [
    (None, []),
    ("sex == 'F'", [["sex", "==", "F"]]),
    ("40 <= age < 60", [["age", ">=", 40], ["age", "<", 60]]),
    ("sex == 'F' and age != -1", [["sex", "==", "F"], ["age", "!=", -1]]),
    ("a == 1 or (b in ['x', 'y'] and c is None)",
     [{"or": [["a", "==", 1], {"and": [["b", "in", ["x", "y"]], ["c", "null", None]]}]}]),
    ("patients.sex == 'F' and d is not None", [["patients.sex", "==", "F"], ["d", "not null", None]]),
    ("True == smokes", [["smokes", "==", True]]),
    ([("age", "between", [1, 2])], [["age", "between", [1, 2]]]),
]  # fmt: skip


@pytest.mark.parametrize(("where", "expected"), WRITTEN, ids=[str(where) for where, _ in WRITTEN])
def test_conditions_are_read_and_never_run(importable: None, where: Any, expected: Any) -> None:
    from ansim.conditions import conditions

    assert conditions(where) == expected


@pytest.mark.parametrize(
    "where",
    ["__import__('os').system('id')", "sex", "sex == other", "f(sex) == 1", "not sex == 'F'", "sex ==", "a[0] == 1",
     "(lambda: 1)() == 1", "x is True", "1 == 1"],
)  # fmt: skip
def test_what_is_no_condition_is_refused(importable: None, where: str) -> None:
    from ansim.conditions import conditions
    from ansim.failure import AnsimError

    with pytest.raises(AnsimError) as refused:
        conditions(where)
    assert refused.value.code == "client.where"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a", ("y", [["a"]], {})),
        ("y ~ a + C(b) + a:b", ("y", [["a"], ["b"], ["a", "b"]], {"b": None})),
        ("y ~ a*C(b, 'x')", ("y", [["a"], ["b"], ["a", "b"]], {"b": "x"})),
        ("y~patients.나이 + patients.sex", ("y", [["patients.나이"], ["patients.sex"]], {})),
        ("y ~ a + a", ("y", [["a"]], {})),
    ],
)
def test_a_formula_is_names_and_signs(importable: None, text: str, expected: Any) -> None:
    from ansim.formulas import formula

    assert formula(text) == expected


@pytest.mark.parametrize(
    "text", ["y", "~ a", "y ~", "y ~ np.log(a)", "y ~ __import__('os')", "y ~ a - 1", "C(y) ~ a", "y ~ I(a**2)"]
)
def test_what_is_no_formula_is_refused(importable: None, text: str) -> None:
    from ansim.failure import AnsimError
    from ansim.formulas import formula

    with pytest.raises(AnsimError) as refused:
        formula(text)
    assert refused.value.code == "client.formula"


def test_a_table_hides_what_is_small_and_shows_itself(ansim: ModuleType) -> None:
    made = ansim.table("visits/visits", "sex", "ward", margins=True)
    assert made.head == ("sex", "ward=A", "total")
    assert made.rows == (("F", "18", "18"), ("M", "18", "18"), ("total", "36", "36")), "ward B has four people"
    assert "1개" in made.note
    assert "<td" in made._repr_html_()
    assert "ward=A" in repr(made)
    whole = ansim.table("visits/visits", "sex", "ward", suppress=False)
    assert whole.head == ("sex", "ward=A", "ward=B")
    assert parse_recipe(json.loads(json.dumps(made.recipe))).snapshot == SNAPSHOT


def test_the_words_of_acro_and_pandas_give_the_same_tables(ansim: ModuleType) -> None:
    assert ansim.crosstab("sex", "ward", "visits/visits") == ansim.table("visits/visits", "sex", "ward")
    pivot = ansim.pivot_table("visits/visits", "paid", "sex")
    assert pivot.rows == (("F", "190.00"), ("M", "200.00"))
    bins = ansim.hist("visits/visits", "paid", [0, 200, 400])
    assert bins.rows == (("[0,200)", "20"), ("[200,400)", "20"))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda ansim: ansim.table(object(), "sex"), "client.not-a-table"),
        (lambda ansim: ansim.table("visits/none", "sex"), "client.no-table"),
        (lambda ansim: ansim.table("visits/visits", "income"), "client.no-column"),
        (lambda ansim: ansim.table("visits/visits", "visits.income", join="visits"), "client.no-column"),
        (lambda ansim: ansim.table("visits/visits", "sex", aggfunc="mode"), "client.aggfunc"),
        (lambda ansim: ansim.table("visits/visits", "sex", aggfunc="mean"), "client.aggfunc"),
        (lambda ansim: ansim.model("gam", "paid ~ sex", "visits/visits"), "client.model"),
        (lambda ansim: ansim.table("visits/visits", "sex").save("table.pkl"), "client.save-as"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_code(ansim: ModuleType, call: Any, code: str) -> None:
    from ansim.failure import AnsimError

    with pytest.raises(AnsimError) as refused:
        call(ansim)
    assert refused.value.code == code


def test_a_saved_file_carries_its_recipe_and_a_changed_one_does_not(portal: Portal, ansim: ModuleType) -> None:
    made = ansim.table("visits/visits", "sex")
    made.save("table.csv")
    Path("changed.csv").write_text(Path("table.csv").read_text().replace("20", "21"))
    portal.answer = PASSED
    ansim.egress.preflight(["table.csv", "changed.csv"])
    body = portal.asked[-1][2]
    first, second = body["files"]
    assert body["about"] == {first: {"recipe": made.recipe}}
    assert second.endswith("changed.csv")


def test_another_kernel_remembers_it_too(portal: Portal, ansim: ModuleType) -> None:
    from ansim import recipes

    made = ansim.model("ols", "paid ~ sex", "visits/visits")
    made.save("model.tsv")
    recipes._MADE.clear()
    portal.answer = PASSED
    ansim.egress.submit("model.tsv", purpose="p", context="c")
    ((_, said),) = portal.asked[-1][2]["about"].items()
    assert said == {"recipe": made.recipe}
    for number in range(recipes.KEPT + 5):
        recipes.remember(f"{number:064x}", {"n": number})
    assert len(recipes._notes().read_text().splitlines()) == recipes.KEPT
    recipes._MADE.clear()
    recipes._notes().write_text("no json\n")
    assert recipes.recall("0" * 64) is None


def test_the_code_that_made_a_file_is_named_with_it(portal: Portal, ansim: ModuleType) -> None:
    portal.answer = PASSED
    ansim.egress.preflight([write("figure.png"), write("plot.py", "x = 1\n")], code="plot.py")
    figure, plot = portal.asked[-1][2]["files"]
    assert portal.asked[-1][2]["about"] == {figure: {"code": plot}}
    ansim.egress.preflight(["figure.png", "plot.py"], code={"figure.png": "plot.py"})
    assert list(portal.asked[-1][2]["about"].values()) == [{"code": portal.asked[-1][2]["files"][1]}]
    from ansim.failure import AnsimError

    with pytest.raises(AnsimError) as refused:
        ansim.egress.preflight(["figure.png"], code="plot.py")
    assert refused.value.code == "client.code"


def test_a_match_is_said_in_words(portal: Portal, ansim: ModuleType) -> None:
    ansim.table("visits/visits", "sex").save("table.csv")
    evidence = [{"kind": "recompute", "status": "match"}]
    portal.answer = {"files": [{"name": "$0", "verdict": "PASS", "findings": [], "evidence": evidence}]}
    result = ansim.egress.preflight("table.csv")
    assert result.files[0].recomputed == "match"
    assert "다시 계산한 값과 모두 같습니다" in repr(result)


def test_counts_are_added_by_the_recipe_and_the_new_file_passes(portal: Portal, ansim: ModuleType) -> None:
    path = ansim.table("visits/visits", "sex", values="paid", aggfunc="mean").save("means.csv")
    repaired = ansim.egress.repair(path, how="add-counts")
    assert repaired.name == "means.repaired.csv"
    assert repaired.read_text().splitlines() == ["sex,persons,mean(paid)", "F,20,190.00", "M,20,200.00"]
    portal.answer = PASSED
    ansim.egress.preflight(repaired)
    ((_, said),) = portal.asked[-1][2]["about"].items()
    assert [one["op"] for one in said["recipe"]["measures"]] == ["persons", "mean"]
    rules = CheckRules(subjects=40)
    assert check_content(repaired.read_bytes(), repaired.name, rules).findings == ()


def test_small_cells_of_a_table_with_a_recipe_are_hidden_by_making_it_again(
    portal: Portal, ansim: ModuleType, tmp_path: Path
) -> None:
    path = ansim.table("visits/visits", "ward", "sex", margins=True, suppress=False).save("cells.csv")
    repaired = ansim.egress.repair(path, how="suppress")
    assert repaired.name == "cells.repaired.csv"
    assert repaired.read_bytes() == ansim.table("visits/visits", "ward", "sex", margins=True).save("x.csv").read_bytes()
    assert repaired.read_bytes() != path.read_bytes()
    assert portal.asked[-1][:2] != ("POST", "/api/workspace/v1/egress/repair"), "nothing left the kernel for it"
    portal.answer = PASSED
    ansim.egress.preflight(repaired)
    ((_, said),) = portal.asked[-1][2]["about"].items()
    assert said["recipe"]["suppressed"] == {"below": 10}


def test_counts_of_a_file_without_a_recipe_are_given_one_by_row(ansim: ModuleType) -> None:
    from ansim.failure import AnsimError

    Path("hand.tsv").write_text("region\tmean age\n동구\t41.2\n서구\t43.0\n")
    made = ansim.egress.repair("hand.tsv", how="add-counts", counts=[120, 95])
    assert made.read_text() == "region\tmean age\tn\n동구\t41.2\t120\n서구\t43.0\t95\n"
    long = Path("long.csv")
    long.write_text("age,alt\n" + "".join(f"{20 + i}.5,30.{i}\n" for i in range(60)))
    full = ansim.egress.repair(long, how="add-counts", counts=[100 + i % 7 for i in range(60)])
    assert [f.rule for f in check_content(long.read_bytes(), long.name, CheckRules()).findings] == ["row.no-counts"]
    assert check_content(full.read_bytes(), full.name, CheckRules()).findings == ()
    for counts in (None, [120]):
        with pytest.raises(AnsimError) as refused:
            ansim.egress.repair("hand.tsv", how="add-counts", counts=counts)
        assert refused.value.code == "client.no-counts"
    Path("figure.png").write_bytes(b"png")
    with pytest.raises(AnsimError) as refused:
        ansim.egress.repair("figure.png", how="add-counts", counts=[1])
    assert refused.value.code == "client.save-as"


def test_an_explanation_goes_with_the_bytes_it_was_given_for(portal: Portal, ansim: ModuleType) -> None:
    from ansim.failure import AnsimError

    Path("figure.csv").write_text("n\n40\n")
    ansim.egress.repair("figure.csv", how="add-context", context="점 하나는 지역 하나입니다")
    portal.answer = {"id": "r1", "state": "submitted"}
    ansim.egress.submit("figure.csv", purpose="p", context="c")
    assert portal.asked[-1][2]["context"] == "c\nfigure.csv: 점 하나는 지역 하나입니다"
    Path("figure.csv").write_text("n\n41\n")
    ansim.egress.submit("figure.csv", purpose="p", context="c")
    assert portal.asked[-1][2]["context"] == "c"
    with pytest.raises(AnsimError) as refused:
        ansim.egress.repair("figure.csv", how="add-context")
    assert refused.value.code == "client.no-context"


def test_nothing_heavy_is_loaded_before_a_table_is_made() -> None:
    import subprocess

    code = "import sys, ansim; print(sorted({'pandas', 'numpy', 'statsmodels', 'pyarrow'} & set(sys.modules)))"
    client = str(Path(__file__).parents[3] / "enclave" / "notebook")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": client}, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
