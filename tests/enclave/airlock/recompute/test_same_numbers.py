"""What a scientist's client saves, the checker finds again; and whatever is changed in it, the checker finds out.

The two compute with different libraries: pandas in the workspace, arrays in the sealed process. Random microdata,
random recipes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.airlock.document import Table
from enclave.airlock.recipes.form import parse_recipe
from enclave.airlock.recompute.work import Recomputed, recompute
from enclave.airlock.report import Severity
from enclave.airlock.rules import CheckRules
from tests.enclave.airlock.recompute.conftest import stored
from tests.enclave.airlock.recompute.hospital import Hospital, build, labs, people

CLIENT = Path(__file__).parents[4] / "enclave" / "notebook"
MIN_CELL = 5
RULES = CheckRules(min_cell=MIN_CELL)
FULL = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ansim() -> Iterator[Any]:
    sys.path.insert(0, str(CLIENT))
    import ansim

    yield ansim
    sys.path.remove(str(CLIENT))


@pytest.fixture(scope="module")
def clinics(tmp_path_factory: pytest.TempPathFactory) -> list[Hospital]:
    """Three snapshots: many people, few people, and hardly any, with gaps in every kind of column."""
    found = []
    for seed, count in enumerate((400, 60, 12)):
        rng = np.random.default_rng(seed)
        patients = people(rng, count)
        patients = patients.append_column("gap", pa.array([None if n % 5 == 0 else n % 3 for n in range(count)]))
        tables = {"patients": patients, "labs": labs(rng, patients, count * 4)}
        found.append(build(tmp_path_factory.mktemp("clinic"), tables, parts=2))
    return found


@pytest.fixture
def at(ansim: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the client into the workspace of one of the clinics."""
    from ansim import frames

    def enter(clinic: Hospital) -> None:
        monkeypatch.setenv("ANSIM_DATA", str(clinic.data))
        monkeypatch.setattr("ansim.tabulating.source", lambda _: frames.Source(clinic.source.snapshot, MIN_CELL))
        monkeypatch.setattr("ansim.modelling.source", lambda _: frames.Source(clinic.source.snapshot, MIN_CELL))

    return enter


def checked(clinic: Hospital, made: Any, head: Any = None, rows: Any = None) -> Recomputed:
    recipe = parse_recipe(made.recipe)
    printed = Table(tuple(head or made.head), tuple(map(tuple, made.rows if rows is None else rows)))
    with stored(clinic, recipe) as tables:
        return recompute(printed, recipe, tables, RULES)


def blocked(found: Recomputed, *ours: str) -> set[str]:
    return {one.rule for one in found.findings if one.severity is Severity.BLOCK} - set(ours)


WHERE = st.sampled_from(
    [None, "sex == 'F'", "age >= 40 and age < 70", "score > 45.5 or smokes == True", "region in ['광주', '전북']",
     "gap is None", "gap is not None and gap != 1", "came >= '2019-06-01'", [("age", "between", [30, 60])],
     "score != 50", "'M' == sex"]
)  # fmt: skip
KEYS = st.lists(st.sampled_from(["sex", "region", "smokes", "gap", "grown"]), min_size=1, max_size=3, unique=True)
OPS = st.lists(
    st.sampled_from(["count", "persons", "sum", "mean", "std", "median"]), min_size=1, max_size=4, unique=True
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(KEYS)
    down = draw(st.integers(1, len(keys)))
    ops = draw(OPS)
    return {
        "index": keys[:down],
        "columns": keys[down:],
        "values": draw(st.sampled_from([["score"], ["age", "score"], ["gap"], ["smokes"]]))
        if set(ops) - {"count", "persons"}
        else None,
        "aggfunc": ops,
        "where": draw(WHERE),
        "bands": {"grown": ("age", [20, 40, 60, 90])},
        "margins": draw(st.booleans()),
        "decimals": draw(st.integers(0, 4)),
        "base": draw(st.sampled_from([1, 5, 10])),
    }


@FULL
@given(words=tables(), which=st.integers(0, 2))
def test_whatever_table_the_client_saves_is_found_again(
    ansim: Any, at: Any, clinics: list[Hospital], words: dict[str, Any], which: int
) -> None:
    at(clinics[which])
    made = ansim.table("clinic/patients", **words)
    found = checked(clinics[which], made)
    assert blocked(found) == set(), [(one.rule, one.place) for one in found.findings]
    assert found.matches


@FULL
@given(words=tables(), data=st.data())
def test_whatever_cell_is_changed_is_found_out(
    ansim: Any, at: Any, clinics: list[Hospital], words: dict[str, Any], data: st.DataObject
) -> None:
    at(clinics[0])
    made = ansim.table("clinic/patients", **words)
    grid = [list(made.head), *map(list, made.rows)]
    row = data.draw(st.integers(0, len(grid) - 1))
    column = data.draw(st.integers(0, len(grid[0]) - 1))
    was = grid[row][column]
    others = ["", "*", "0", "7", "１２", "nan", "inf", "-1", "1e3", "광주", f"{was} ", f"+{was}", f"{was}.", "2.50"]
    changed = data.draw(st.sampled_from(others) | st.integers(0, 500).map(str))
    if changed == was or (row and changed in same_as(was)):
        return
    grid[row][column] = changed
    assert blocked(checked(clinics[0], made, grid[0], grid[1:])), (was, changed, row, column)


def same_as(text: str) -> set[str]:
    """Return how else this cell may rightly read: as spreadsheets print a number, or hidden where nobody is."""
    hidden = {"*"} if text in {"", "0"} else set()
    try:
        short = repr(float(text)) if "." in text else text
    except ValueError:
        return hidden
    return hidden | {short, short.removesuffix(".0")}


@pytest.mark.parametrize(
    "change", ["a row more", "a row less", "a row twice", "rows in another order", "a column more", "a column less"]
)
def test_rows_and_columns_without_recipe_are_found_out(
    ansim: Any, at: Any, clinics: list[Hospital], change: str
) -> None:
    at(clinics[0])
    made = ansim.table("clinic/patients", ["sex", "region"], aggfunc=["count"], suppress=False)
    head, rows = list(made.head), [list(row) for row in made.rows]
    if change == "a row more":
        rows.append(["F", "서울", "40"])
    elif change == "a row less":
        rows.pop()
    elif change == "a row twice":
        rows.append(rows[0])
    elif change == "rows in another order":
        rows.reverse()
    elif change == "a column more":
        head, rows = [*head, "note"], [[*row, "x"] for row in rows]
    else:
        head, rows = head[:-1], [row[:-1] for row in rows]
    assert blocked(checked(clinics[0], made, head, rows)) & {"recompute.shape", "recompute.label"}


@pytest.mark.parametrize(
    ("name", "words", "more"),
    [
        ("ols", "score ~ age + sex + region", {}),
        ("ols", "score ~ age*C(gap) + grown", {"where": "smokes == False"}),
        ("logit", "smokes ~ age + C(sex, 'M')", {}),
        ("probit", "smokes ~ age + score", {"decimals": 6}),
        ("poisson", "age ~ score + C(region)", {"where": "age > 30"}),
    ],
    ids=str,
)
def test_whatever_model_the_client_saves_is_found_again_and_no_other(
    ansim: Any, at: Any, clinics: list[Hospital], name: str, words: str, more: dict[str, Any]
) -> None:
    at(clinics[0])
    made = ansim.model(name, words, "clinic/patients", bands={"grown": ("age", [20, 40, 60, 90])}, **more)
    found = checked(clinics[0], made)
    assert blocked(found) == set(), [(one.rule, one.place) for one in found.findings]
    assert found.matches
    for row, line in enumerate(made.rows):
        for column, text in enumerate(line):
            if not text:
                continue
            rows = [list(one) for one in made.rows]
            rows[row][column] = f"{text[:-1]}{(int(text[-1]) + 1) % 10}" if text[-1].isdigit() else f"{text}x"
            assert blocked(checked(clinics[0], made, None, rows)) & {"recompute.number", "recompute.label"}


def test_values_of_a_joined_table_are_found_again(ansim: Any, at: Any, clinics: list[Hospital]) -> None:
    at(clinics[0])
    made = ansim.table(
        "clinic/labs", ["test", "decade"], "patients.sex", "value", ["count", "mean", "median"], join="patients",
        where="value > 10 and patients.smokes == False", bands={"decade": ("patients.age", [20, 40, 60, 90])},
        margins=True,
    )  # fmt: skip
    found = checked(clinics[0], made)
    assert blocked(found) == set(), [(one.rule, one.place) for one in found.findings]
    assert found.matches
