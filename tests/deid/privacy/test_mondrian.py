"""`search: {method: mondrian}` through whole runs: ranges and sets that hold, say what is so, and hide who left."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
import yaml

from deid.engine import RunResult
from deid.errors import GateFailed, RecipeError
from deid.privacy.labels import scale_of
from deid.recipe import ColumnRule, Label
from deid.recipe_yaml import Node
from deid.treatments.bands import Band
from deid.treatments.plain import Keep
from deid.treatments.treatment import Treatment
from tests.deid.factory import HEAD, Hospital, files_of, gates, table

RECIPE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    quasi_identifiers: [sex, born, job, seen]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      sex: {treatment: keep}
      born: {treatment: generalise, hierarchy: age, level: auto, age_at: "2020-01-01"}
      job: {treatment: keep}
      seen: {treatment: keep, type: date}
      event: {treatment: keep}
      row: {treatment: keep, type: integer}
    privacy: {%s}
"""
JOBS = ("nurse", "doctor", "cook", "baker", "")
QUASI = ["sex", "born", "job", "seen"]
MONDRIAN = "k: 4, search: {method: mondrian}"


def rows(count: int = 150, seed: int = 5) -> list[list[str]]:
    rng = random.Random(seed)
    found: list[list[str]] = []
    for number in range(count):
        person = [f"N{number}", rng.choice("FM"), f"{rng.randint(1930, 1990)}-03-1{rng.randint(0, 9)}"]
        for _ in range(rng.randint(1, 3)):
            job, seen = rng.choice(JOBS), f"2019-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"
            found.append([*person, job, seen, rng.choice(["C50", "I10", "E11"]), str(len(found))])
    return found


def prepare(clinic: Hospital, data: list[list[str]]) -> None:
    clinic.write("visits.csv", "no,sex,born,job,seen,event,row\n" + "".join(",".join(row) + "\n" for row in data))


def run(clinic: Hospital, privacy: str, *, text: str = RECIPE, k: int = 2) -> tuple[RunResult, dict[str, Any]]:
    result = clinic.run(HEAD + gates(k=k, share=0.2) + text % privacy)
    return result, json.loads((result.snapshot / "risk.json").read_text())["visits"]


def stands_for(label: str | None, value: str | None) -> bool:
    """Whether a label as recipes/README.md describes it may stand for a value, both as texts."""
    if label == "*":
        return True
    if label is None or value is None or label.startswith("["):
        members = json.loads(label) if label else [None]
        return any(value == member or (value and member and stands_for(member, value)) for member in members)
    for sign in ("..", "-"):
        low, found, high = label.partition(sign)
        if found and (sign == ".." or high.isdigit()):
            return int(low) <= int(value) <= int(high) if sign == "-" else low <= value <= high
    return int(label[:-1]) <= int(value.rstrip("+")) if label.endswith("+") else label == value


@pytest.mark.parametrize("how", ["kept in memory", "laid out in parts"])
def test_every_published_class_has_k_patients_and_its_labels_are_true(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how != "kept in memory":
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    data = rows()
    prepare(clinic, data)
    result, risk = run(clinic, MONDRIAN)
    frame = table(result, "visits")
    assert frame.height == len(data)
    classes = frame.group_by(QUASI).agg(pl.col("patient").n_unique())
    assert classes["patient"].min() >= 4  # type: ignore[operator]
    assert risk["privacy"]["search"]["parts"] == classes.height > 10
    by_row = {int(row[-1]): row for row in data}
    for row in frame.iter_rows(named=True):
        _, sex, born, job, seen, *_ = by_row[row["row"]]
        age = str(2019 - int(born[:4]))
        for name, value in zip(QUASI, (sex, age, job or None, seen), strict=True):
            assert stands_for(row[name], value), (name, row[name], value)


def test_less_is_lost_than_with_one_rule_for_each_column(clinic: Hospital) -> None:
    prepare(clinic, [[*row[:4], "2019-01-01", *row[5:]] for row in rows()])
    _, cut = run(clinic, MONDRIAN)
    _, whole = run(clinic, "k: 4")
    assert cut["privacy"]["loss"]["ncp"] < whole["privacy"]["loss"]["ncp"]
    assert cut["published"]["smallest"] >= 4


def test_the_loss_in_the_report_is_that_of_the_labels_written(clinic: Hospital) -> None:
    # Four jobs of two patients each and k = 4: two sets of two jobs, (2 - 1) / (4 - 1) in one column of two.
    data = [[f"N{n}", "F", "1950-01-01", JOBS[n // 2], "2019-01-01", "I10", str(n)] for n in range(8)]
    prepare(clinic, data)
    result, risk = run(
        clinic, MONDRIAN, text=RECIPE.replace("[sex, born, job, seen]", "[sex, job]").replace("auto", "0")
    )
    assert set(table(result, "visits")["job"]) == {'["baker", "cook"]', '["doctor", "nurse"]'}
    assert risk["privacy"]["loss"]["ncp"] == pytest.approx((1 / 3) / 2, abs=1e-6)
    assert risk["privacy"]["search"]["loss"] == pytest.approx((1 / 3) / 2, abs=1e-6)
    assert risk["privacy"]["loss"]["discernibility"] == 0.5


def test_diversity_and_closeness_hold_in_what_is_written(clinic: Hospital) -> None:
    prepare(clinic, rows())
    asked = "k: 4, l: {column: event, l: 2}, t: {column: event, t: 0.4}, search: {method: mondrian}"
    result, risk = run(clinic, asked)
    frame = table(result, "visits")
    assert frame.group_by(QUASI).agg(pl.col("event").n_unique())["event"].min() >= 2  # type: ignore[operator]
    assert [each["ok"] for each in risk["privacy"]["models"]] == [True, True, True]


def test_weights_keep_a_column_finer_and_checks_bound_the_search(clinic: Hospital) -> None:
    prepare(clinic, rows())

    def years(weights: str) -> float:
        labels = table(run(clinic, f"k: 4, search: {{method: mondrian, {weights}}}")[0], "visits")["born"]
        ends = [label.rstrip("+").split("-") for label in labels]
        return sum(int(each[-1]) - int(each[0]) for each in ends) / len(ends)

    assert years("weights: {born: 100}") < years("weights: {job: 100}") / 2
    _, risk = run(clinic, "k: 4, search: {method: mondrian, checks: 1}")
    assert (risk["privacy"]["search"]["exact"], risk["published"]["smallest"] >= 4) == (False, True)


@pytest.mark.parametrize("how", ["kept in memory", "laid out in parts"])
def test_what_only_excluded_patients_had_is_in_no_label_and_no_byte(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how != "kept in memory":
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    data = [[f"N{n}", "F", "1950-01-01", JOBS[n % 4], "2019-01-01", "I10", str(n)] for n in range(40)]
    # Before the orphan leaves, his job shares a set with the doctors'.
    prepare(clinic, [*data, ["N999", "F", "1950-01-01", "cosmonaut", "2019-01-01", "I10", "9999"]])
    people = sorted({row[0] for row in data})
    clinic.write("people.csv", "no\n" + "".join(f"{person}\n" for person in people))
    more = """\
  people:
    file: people.csv
    label: {ko: 사람, en: People}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
"""
    links = "links: [{from: visits, to: people, orphans: drop}]\n"
    result = clinic.run(HEAD + gates(k=2, share=0.2) + links + RECIPE % MONDRIAN + more)
    frame = table(result, "visits")
    assert frame.height == len(data)
    assert set(frame["job"]) == {"baker", "cook", "doctor", "nurse"}
    assert frame.group_by(QUASI).agg(pl.col("patient").n_unique())["patient"].min() >= 4  # type: ignore[operator]
    plain = clinic.root / "plain.parquet"
    for each in files_of(result, "visits"):
        frame.write_parquet(plain, compression="uncompressed")
        assert b"cosmo" not in plain.read_bytes() + (result.snapshot / each.name).read_bytes()
    for path in result.snapshot.rglob("*"):
        assert not path.is_file() or b"cosmo" not in path.read_bytes()


def test_manifest_report_and_twin_speak_of_the_same_columns(clinic: Hospital, tmp_path: Path) -> None:
    prepare(clinic, rows(400))
    result, risk = run(clinic, "k: 12, search: {method: mondrian}")
    columns = result.manifest.tables["visits"].columns
    assert {columns[name].dtype for name in QUASI} == {"String"}
    assert columns["seen"].treatment == "keep(mondrian)"
    assert risk["privacy"]["search"]["method"] == "mondrian"
    assert "Published as ranges and sets by combination (Mondrian)" in (result.snapshot / "report.html").read_text()
    labels = table(result, "visits")
    with ZipFile(result.snapshot / "twin.zip") as archive:
        archive.extractall(tmp_path)
    drawn = pl.read_parquet(tmp_path / "data/visits/visits.parquet")
    assert set(drawn["sex"]) <= set(labels["sex"])
    assert drawn.schema["sex"] == pl.String


def test_a_population_is_cut_like_the_table(clinic: Hospital) -> None:
    prepare(clinic, [[*row[:3], row[3] or "cook", "2019-01-01", *row[5:]] for row in rows()])
    lines = [f"{sex},{year}-01-01,{job},3" for sex in "FM" for year in range(1930, 1991) for job in JOBS[:4]]
    (clinic.root / "census.csv").write_text("sex,born,job,people\n" + "\n".join(lines) + "\n")
    asked = "population: {file: census.csv, count: people}, k_map: {k: 40}, search: {method: mondrian}"
    text = RECIPE.replace("[sex, born, job, seen]", "[sex, born, job]")
    _, risk = run(clinic, asked, text=text, k=1)
    models = {each["model"]: each for each in risk["privacy"]["models"]}
    assert 40 <= models["k-map(k=40)"]["found"] < len(lines) * 3 / 4
    assert risk["privacy"]["search"]["parts"] > 4


def test_a_table_too_small_to_cut_publishes_nothing(clinic: Hospital) -> None:
    prepare(clinic, rows(3))
    with pytest.raises(GateFailed) as caught:
        run(clinic, MONDRIAN)
    assert (caught.value.gate, clinic.left_behind()) == ("search", [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("job, seen]", "job, {column: seen, by: year}]"),
        ("job: {treatment: keep}", "job: {treatment: keep, rare: {other: else}}"),
    ],
)
def test_quasi_identifiers_that_cannot_be_cut_are_refused(clinic: Hospital, old: str, new: str) -> None:
    prepare(clinic, rows(20))
    with pytest.raises(RecipeError) as caught:
        run(clinic, MONDRIAN, text=RECIPE.replace(old, new))
    assert caught.value.code == "deid.recipe-mondrian"


KEEP = Keep()
BAND = Band(10, 80, 20)
LABELS: list[tuple[Treatment, list[Any], list[Any], str | None]] = [
    (KEEP, ["b", "a", "c"], ["a"], "a"),
    (KEEP, ["b", "a", "c"], ["c", "a"], '["a", "c"]'),
    (KEEP, ["b", "a", "c"], ["a", "b", "c"], "*"),
    (KEEP, ["b", "a", None], [None], None),
    (KEEP, ["b", "a", "c", None], [None, "b"], '[null, "b"]'),
    (KEEP, ["[x]", "a"], ["[x]"], '["[x]"]'),
    (KEEP, [3, 1, 20], [1, 20], "1..20"),
    (KEEP, [3, 1, 20], [3], "3"),
    (KEEP, [-3, 1, None], [None, -3, 1], '[null, "-3..1"]'),
    (KEEP, [date(2020, 1, 2), date(2019, 1, 1)], [date(2020, 1, 2), date(2019, 1, 1)], "2019-01-01..2020-01-02"),
    (BAND, ["20-29", "100-109", "<20", "80+"], ["20-29"], "20-29"),
    (BAND, ["20-29", "30-39", "<20", "80+"], ["20-29", "30-39"], "20-39"),
    (BAND, ["20-29", "30-39", "<20", "80+"], ["30-39", "80+"], "30+"),
    (BAND, ["20-29", "30-39", "<20", "80+"], ["20-29", "<20"], "<30"),
    (BAND, ["20-29", "30-39", "<20", "80+"], ["80+", "<20"], "*"),
    (BAND, ["-10--1", "-20--11"], ["-10--1", "-20--11"], "-20--1"),
    (Band(1, 90, None), ["9", "10", "90+"], ["9", "10"], "9-10"),
    (BAND, ["20-29", None], [None, "20-29"], '[null, "20-29"]'),
]


@pytest.mark.parametrize(("treatment", "values", "held", "label"), LABELS, ids=[str(row[2:]) for row in LABELS])
def test_a_part_is_named_by_what_it_holds(
    treatment: Treatment, values: Sequence[Any], held: Sequence[Any], label: str | None
) -> None:
    node = Node(Path("recipe.yaml"), yaml.ScalarNode("tag:yaml.org,2002:str", "x"))
    rule = ColumnRule("x", "x", treatment, Label("x", "x"), direct=False, node=node)
    scale = scale_of(rule, pl.Series(values))
    codes = [scale.values.to_list().index(value) for value in held]
    found, _ = scale.spans(pl.Series([0] * len(codes)).to_numpy(), pl.Series(codes).to_numpy())
    assert set(found) == {label}
