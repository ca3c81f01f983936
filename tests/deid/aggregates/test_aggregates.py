"""Differentially private aggregates: budgets add up, noise is what OpenDP proves, one patient never counts for more."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from deid.aggregates import ledger
from deid.aggregates.mechanisms import binned, noisy_count, noisy_histogram, noisy_sum
from deid.aggregates.publish import check_columns, results_of
from deid.aggregates.spec import Spec, load
from deid.cli import deid
from deid.errors import BudgetRefused, RecipeError, SourceError
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, visits

# At this price noise reaches 1 once in e^1000 draws or less: what is published is what was computed.
EXACT = 1e5
QUERIES = """\
  - {name: people, count: patients, epsilon: 100}
  - {name: visits, count: rows, epsilon: 100}
  - {name: women, count: patients, where: {sex: [F]}, epsilon: 100}
  - {name: total, sum: amount, bounds: [0, 10], epsilon: 100}
  - {name: mean, mean: amount, bounds: [0, 10], epsilon: 100}
  - {name: by_sex, histogram: sex, values: [F, M, X], epsilon: 100}
  - {name: by_amount, histogram: amount, edges: [0, 5, 20], of: rows, epsilon: 100}
"""


def spec(tmp_path: Path, queries: str = QUERIES, rows: int = 3) -> Spec:
    path = tmp_path / "request.yaml"
    head = f"aggregates: 1\ndataset: visits\ntable: visits\npatient: patient\nrows_per_patient: {rows}\nqueries:\n"
    path.write_text(head + queries)
    return load(path)


def frame(rows: list[tuple[str, str, float | None]]) -> pl.LazyFrame:
    return pl.DataFrame(rows, schema=["patient", "sex", "amount"], orient="row").lazy()


def values(tmp_path: Path, data: pl.LazyFrame, rows: int = 3) -> dict[str, object]:
    asked = spec(tmp_path, rows=rows)
    queries = tuple(replace(query, epsilon=EXACT) for query in asked.queries)
    found = results_of(replace(asked, queries=queries), data)
    return {
        str(each["name"]): each["value"] if "value" in each else {k: v["value"] for k, v in each["bins"].items()}
        for each in found
    }


DATA = [("a", "F", 3.0), ("a", "F", 4.0), ("b", "M", 50.0), ("c", "M", None), ("c", "X", -7.0), ("d", "Q", 1.0)]


def test_every_kind_of_figure_on_a_table_one_can_count_by_hand(tmp_path: Path) -> None:
    assert values(tmp_path, frame(DATA)) == {
        "people": 4,
        "visits": 6,
        "women": 1,
        "total": 18,
        "mean": pytest.approx(18 / 5),
        "by_sex": {"F": 1, "M": 2, "X": 1},
        "by_amount": {"0-5": 3, "5-20": 0},
    }


def test_of_a_patient_with_many_rows_only_so_many_count(tmp_path: Path) -> None:
    data = [("a", "F", 10.0)] * 500 + [("b", "M", 1.0)]
    found = values(tmp_path, frame(data), rows=2)
    assert (found["people"], found["visits"], found["total"]) == (2, 3, 21)
    assert found["by_amount"] == {"0-5": 1, "5-20": 2}


@settings(deadline=None, max_examples=8, phases=[Phase.generate])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("FMX"), st.floats(-20, 20)), max_size=20))
def test_without_one_patient_no_figure_moves_by_more_than_it_was_calibrated_for(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[str, str, float]]
) -> None:
    tmp_path = tmp_path_factory.mktemp("dp")
    schema = {"patient": pl.String, "sex": pl.String, "amount": pl.Float64}
    full = pl.DataFrame(data, schema=schema, orient="row").lazy()
    with_all, without = (values(tmp_path, each, rows=2) for each in (full, full.filter(pl.col("patient") != "a")))
    limits = {"people": 1, "visits": 2, "women": 1, "total": 20}
    for name, limit in limits.items():
        assert abs(with_all[name] - without[name]) <= limit + 1  # type: ignore[operator]
    for name in ("by_sex", "by_amount"):
        moved = [abs(with_all[name][key] - without[name][key]) for key in with_all[name]]  # type: ignore[index,attr-defined]
        assert sum(moved) <= 2


@pytest.mark.parametrize(("rows", "epsilon"), [(1, 0.5), (4, 0.5), (1, 0.05)])
def test_the_noise_is_as_large_as_the_price_is_low(rows: int, epsilon: float) -> None:
    found = noisy_count(np.zeros(10, np.int64), rows, epsilon)
    assert found.scale == pytest.approx(rows / epsilon, rel=1e-6)
    # 95 % of a Laplace distribution lies within scale * ln 20.
    assert found.within == pytest.approx(found.scale * math.log(20), abs=1.5)


def test_the_noise_is_spread_as_it_says() -> None:
    # 400 draws of scale 20; outside of these bounds once in a billion.
    draws = np.array([each.value for each in noisy_histogram(np.array([], np.int64), 400, 1, 0.05)])
    assert abs(draws.mean()) < 9
    assert 13 < np.abs(draws).mean() < 28
    assert len(set(draws)) > 30


def test_a_sum_is_of_multiples_of_its_step(tmp_path: Path) -> None:
    fine = spec(tmp_path, "  - {name: s, sum: amount, bounds: [0, 10], step: 0.25, epsilon: 100}\n").queries[0]
    found = noisy_sum(np.array([1, 2, 400]), fine, 1, EXACT)
    assert found.value == (1 + 2 + 40) * 0.25
    assert found.scale == pytest.approx(40 / EXACT * 0.25, rel=1e-6)


def test_a_histogram_costs_once_however_many_bins() -> None:
    found = noisy_histogram(np.array([0, 1, 1, 7]), 5, 1, 0.5)
    assert len(found) == 5
    assert [each.scale for each in found] == pytest.approx([2.0] * 5, rel=1e-6)


def test_values_beyond_the_edges_are_in_no_bin() -> None:
    assert binned([0, 4.99, 5, 20, -1, None], [0, 5, 20]).tolist() == [0, 0, 1, -1, -1, -1]


BAD = [
    ("{name: x, epsilon: 1}", "kind"),
    ("{name: x, count: rows, sum: amount, bounds: [0, 1], epsilon: 1}", "kind"),
    ("{name: x, count: rows, epsilon: 0}", "range"),
    ("{name: x, count: cases, epsilon: 1}", "word"),
    ("{name: x, sum: amount, epsilon: 1}", "bounds"),
    ("{name: x, sum: amount, bounds: [1, 1], epsilon: 1}", "bounds"),
    ("{name: x, sum: amount, bounds: [0, 1], step: 5, epsilon: 1}", "step"),
    ("{name: x, sum: amount, bounds: [0, 1000000000000], step: 0.0000001, epsilon: 1}", "step"),
    ("{name: x, histogram: sex, epsilon: 1}", "values"),
    ("{name: x, histogram: amount, edges: [2, 1], epsilon: 1}", "edges"),
    ("{name: x, count: rows, bounds: [0, 1], epsilon: 1}", "bounds"),
    ("{name: x, count: rows, of: rows, epsilon: 1}", "unknown"),
    ("{name: x, count: rows, epsilon: 1}\n  - {name: x, count: rows, epsilon: 1}", "twice"),
]


@pytest.mark.parametrize(("query", "code"), BAD, ids=[query for query, _ in BAD])
def test_what_would_have_to_be_read_from_the_data_must_be_declared(tmp_path: Path, query: str, code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        spec(tmp_path, f"  - {query}\n")
    assert caught.value.code == f"deid.recipe-{code}"
    assert caught.value.line >= 6


@pytest.mark.parametrize(
    "query", ["sum: sex, bounds: [0, 1]", "sum: none, bounds: [0, 1]", "count: rows, where: {no: [a]}"]
)
def test_a_column_that_does_not_fit_is_told_before_anything_is_spent(tmp_path: Path, query: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_columns(spec(tmp_path, f"  - {{name: x, {query}, epsilon: 1}}\n"), frame(DATA))
    assert caught.value.code == "deid.source-column"


def test_a_budget_is_spent_to_the_last_tenth_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger.create(path, "visits", 1.0, "2026-11-24T09:00:00Z")
    for _ in range(10):
        after = ledger.charge(path, "visits", 0.1, {"spec": "x"})
    assert (after.spent, after.left, after.charges) == (1.0, 0.0, 10)
    before = path.read_bytes()
    with pytest.raises(BudgetRefused) as caught:
        ledger.charge(path, "visits", 1e-6, {})
    assert caught.value.code == "deid.budget-exceeded"
    assert path.read_bytes() == before


def test_a_ledger_is_not_made_twice_nor_used_for_other_data(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with pytest.raises(BudgetRefused, match="열 수 없"):
        ledger.read(path)
    ledger.create(path, "visits", 1.0, "t")
    with pytest.raises(BudgetRefused, match="이미"):
        ledger.create(path, "visits", 9.0, "t")
    with pytest.raises(BudgetRefused) as caught:
        ledger.charge(path, "other", 0.1, {})
    assert caught.value.code == "deid.budget-dataset"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b'"epsilon": 0.5', b'"epsilon": 0.1'),
        lambda data: b"".join([*data.splitlines(keepends=True)[:1], *data.splitlines(keepends=True)[2:]]),
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data + b"{}\n",
        lambda data: data.replace(b'"dataset": "visits"', b'"dataset":"visits"'),
    ],
    ids=["a price lowered", "a charge taken out", "cut short", "empty", "a line added", "spelled otherwise"],
)
def test_an_edited_ledger_is_not_believed(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "ledger"
    ledger.create(path, "visits", 2.0, "t")
    for _ in range(3):
        ledger.charge(path, "visits", 0.5, {})
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BudgetRefused) as caught:
        ledger.charge(path, "visits", 0.1, {})
    assert caught.value.code == "deid.budget-damaged"


def command(clinic: Hospital, snapshot: Path, request: str, name: str) -> Result:
    (clinic.root / "request.yaml").write_text(request)
    keys = clinic.root / "keys"
    where = ["--ledger", str(clinic.root / "ledger"), "--key", str(keys / "sign.pem.pub")]
    where += ["--snapshot-keys", str(keys / "snapshots"), "--seal-key", str(keys / "seal.key")]
    return CliRunner().invoke(
        deid, ["aggregate", str(clinic.root / "request.yaml"), str(snapshot), str(clinic.root / name), *where]
    )


def test_from_a_snapshot_to_published_figures_until_the_budget_is_spent(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits([(f"n{n}", "x", "FM"[n % 2], 30, "2020-01-01", n) for n in range(40)]))
    snapshot = clinic.run(HEAD + gates(k=2) + PEOPLE).snapshot
    made = CliRunner().invoke(deid, ["budget", str(clinic.root / "ledger"), "--dataset", "visits", "--epsilon", "3"])
    assert made.output == "visits: ε 0 / 3 (0)\n"
    head = "aggregates: 1\ndataset: visits\ntable: visits\npatient: patient\nqueries:\n"
    request = head + "  - {name: people, count: patients, epsilon: 1}\n  - {name: men, count: rows, epsilon: 0.5}\n"
    assert command(clinic, snapshot, request, "one.json").exit_code == 0
    page = json.loads((clinic.root / "one.json").read_text())
    assert (page["epsilon"], page["delta"], page["budget"]) == (1.5, 0.0, {"epsilon": 3.0, "spent": 1.5, "left": 1.5})
    people = page["results"][0]
    assert (people["epsilon"], people["delta"], people["mechanism"]) == (1, 0.0, "discrete Laplace")
    assert abs(people["value"] - 40) < 40  # e^-40
    assert page["snapshot"] == snapshot.name
    assert command(clinic, snapshot, request, "one.json").exit_code == 8
    assert command(clinic, snapshot, request, "two.json").exit_code == 0
    refused = command(clinic, snapshot, request, "three.json")
    assert refused.exit_code == 10
    assert "deid.budget-exceeded" in refused.output
    assert not (clinic.root / "three.json").exists()
    assert command(clinic, snapshot, request.replace("visits\ntable", "others\ntable"), "four.json").exit_code == 4
    assert CliRunner().invoke(deid, ["budget", str(clinic.root / "ledger")]).output == "visits: ε 3 / 3 (2)\n"
