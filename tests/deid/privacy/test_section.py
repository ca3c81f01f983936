"""The `privacy` section of a recipe, through whole runs: what is published holds, or nothing is published."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deid.errors import GateFailed, RecipeError, SourceError
from tests.deid.factory import HEAD, Hospital, gates, table

TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    quasi_identifiers: [sex, born, job]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      sex: {treatment: keep}
      born: {treatment: generalise, hierarchy: age, level: %s, age_at: "2020-01-01"}
      job: {treatment: generalise, hierarchy: job.csv, level: %s}
      event: {treatment: keep}
      cost: {treatment: keep, type: integer}
    privacy: {%s}
"""
JOBS = {"nurse": "care", "doctor": "care", "cook": "trade", "baker": "trade"}
EVENTS = ["C50", "C51", "I10", "E11"]


def rows(count: int = 240, seed: int = 3) -> list[list[str]]:
    """People of about two visits each, with sex, date of birth, job, event and cost."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        sex, job = rng.choice("FM"), rng.choice(list(JOBS))
        born = f"{rng.choice([1940, 1942, 1961, 1964, 1990, 1991])}-0{rng.randint(1, 9)}-11"
        person = [f"N{number}", sex, born, job]
        found += [[*person, rng.choice(EVENTS), str(rng.randint(1, 9))] for _ in range(rng.randint(1, 3))]
    return found


def prepare(clinic: Hospital, data: list[list[str]]) -> None:
    (clinic.root / "job.csv").write_text("".join(f"{job};{kind};*\n" for job, kind in JOBS.items()))
    text = "no,sex,born,job,event,cost\n" + "".join(",".join(row) + "\n" for row in data)
    clinic.write("visits.csv", text)


def run(
    clinic: Hospital, privacy: str, *, levels: tuple[object, object] = ("auto", "auto"), k: int = 3, share: float = 0.1
) -> tuple[pd.DataFrame, dict[str, Any]]:
    result = clinic.run(HEAD + gates(k=k, share=share) + TABLE % (*levels, privacy))
    risk = json.loads((result.snapshot / "risk.json").read_text())
    return table(result, "visits").to_pandas(), risk["visits"]["privacy"]


def patients(frame: pd.DataFrame) -> pd.Series:
    return frame.groupby(["sex", "born", "job"], dropna=False)["patient"].nunique()


def by_value(frame: pd.DataFrame, column: str = "event") -> pd.DataFrame:
    """Distinct patients of each published class (rows) by value (columns)."""
    seen = frame.drop_duplicates(["patient", "sex", "born", "job", column])
    return pd.crosstab([seen["sex"], seen["born"], seen["job"]], seen[column])


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept in memory", "streamed"])
def test_levels_are_chosen_within_the_limit_and_can_be_pinned(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    prepare(clinic, rows())
    frame, found = run(clinic, "k: 6, search: {suppression: 0.05}")
    search = found["search"]
    assert patients(frame).min() >= 6
    assert search["exact"]
    assert search["rows_removed"] == len(rows()) - len(frame) <= 0.05 * len(rows())
    pinned, again = run(clinic, "k: 6", levels=(search["levels"]["born"], search["levels"]["job"]))
    assert again["search"] is None
    pd.testing.assert_frame_equal(pinned, frame)


def test_no_other_levels_lose_less(clinic: Hospital) -> None:
    prepare(clinic, rows())
    _, found = run(clinic, "k: 6, search: {suppression: 0.05}")
    losses = {}
    for born in range(5):
        for job in range(3):
            try:
                _, each = run(clinic, "k: 6", levels=(born, job), share=0.05)
            except GateFailed:
                continue
            losses[born, job] = each["loss"]["ncp"]
    chosen = found["search"]["levels"]["born"], found["search"]["levels"]["job"]
    # The report's loss is over the source's dates of birth, the search's over completed years: same order here.
    assert losses[chosen] == min(losses.values())


def test_a_heavier_column_is_kept_finer(clinic: Hospital) -> None:
    prepare(clinic, rows())
    _, born = run(clinic, "k: 12, search: {weights: {born: 50}}")
    _, job = run(clinic, "k: 12, search: {weights: {job: 50}}")
    assert born["search"]["levels"]["born"] < job["search"]["levels"]["born"]
    assert job["search"]["levels"]["job"] < born["search"]["levels"]["job"]


def test_classes_without_diversity_are_not_published(clinic: Hospital) -> None:
    data = rows()
    for row in data:
        if row[1] == "F" and row[3] == "cook":
            row[4] = "C50"
    prepare(clinic, data)
    frame, found = run(clinic, "l: {column: event, l: 2}", levels=(4, 0), share=0.3)
    assert set(frame.loc[frame["sex"] == "F", "job"]) == {"nurse", "doctor", "baker"}
    assert ((by_value(frame) > 0).sum(axis=1) >= 2).all()
    worst = {each["model"]: each for each in found["models"]}["distinct l-diversity(event, l=2)"]
    assert (worst["before"], worst["ok"]) == (1, True)
    assert worst["found"] >= 2


def test_entropy_and_recursive_diversity_of_what_is_published(clinic: Hospital) -> None:
    prepare(clinic, rows())
    asked = "l: [{column: event, kind: entropy, l: 2.5}, {column: event, kind: recursive, l: 3, c: 1.2}]"
    frame, _ = run(clinic, asked, share=0.2)
    for _, counts in by_value(frame).iterrows():
        held = counts[counts > 0].sort_values(ascending=False)
        share = held / held.sum()
        entropy = -(share * np.log(share)).sum()
        assert entropy >= np.log(2.5) - 1e-9
        assert held.iloc[0] < 1.2 * held.iloc[2:].sum()


@pytest.mark.parametrize("ground", ["equal", "ordered"])
def test_every_published_class_is_close_to_all_that_is_published(clinic: Hospital, ground: str) -> None:
    prepare(clinic, rows())
    frame, found = run(clinic, f"t: {{column: cost, t: 0.22, ground: {ground}}}", levels=(3, 1), share=0.9)
    counts = by_value(frame, "cost")
    off = counts.div(counts.sum(axis=1), axis=0) - counts.sum() / counts.to_numpy().sum()
    distance = off.abs().sum(axis=1) / 2 if ground == "equal" else off.cumsum(axis=1).abs().sum(axis=1) / 8
    assert distance.max() <= 0.22 + 1e-9
    assert found["models"][1]["found"] == pytest.approx(distance.max(), abs=1e-5)


def test_closeness_by_a_hierarchy_of_diagnoses(clinic: Hospital) -> None:
    prepare(clinic, rows())
    _, equal = run(clinic, "t: {column: event, t: 0.9}", levels=(4, 2))
    _, nested = run(clinic, "t: {column: event, t: 0.9, ground: hierarchy, hierarchy: kcd8}", levels=(4, 2))
    assert nested["models"][1]["found"] <= equal["models"][1]["found"]


@pytest.mark.parametrize(
    ("privacy", "gate"),
    [
        ("l: {column: event, l: 5}", "l"),
        ("t: {column: event, t: 0.0}", "t"),
        ("population: {file: census.csv, count: people}, k_map: {k: 1000}", "k_map"),
        ("population: {file: census.csv, count: people}, delta_presence: {max: 0.01}", "delta_presence"),
        ("risk: {marketer: 0.001}", "risk_marketer"),
        ("risk: {prosecutor: 0.001}", "risk_prosecutor"),
        ("risk: {population_unique: 0.0}, sampling_fraction: 0.01", None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_hold_publishes_nothing(clinic: Hospital, privacy: str, gate: str | None) -> None:
    prepare(clinic, rows())
    census(clinic, people=20)
    if gate is None:
        run(clinic, privacy, levels=(4, 2))
        return
    with pytest.raises(GateFailed) as caught:
        run(clinic, privacy, levels=(3, 1))
    assert caught.value.gate == gate
    assert caught.value.code == "deid.gate-" + gate.replace("_", "-")
    assert caught.value.rows > 0
    assert clinic.left_behind() == []


def test_a_search_without_an_answer_publishes_nothing(clinic: Hospital) -> None:
    prepare(clinic, rows())
    with pytest.raises(GateFailed) as caught:
        run(clinic, "k: 10000")
    assert caught.value.gate == "search"
    assert clinic.left_behind() == []


def census(clinic: Hospital, people: int) -> None:
    """A population by source values: date of birth and job are treated as the table's."""
    lines = [
        f"{sex},{year}-01-11,{job},{people}"
        for sex in "FM"
        for year in (1940, 1942, 1961, 1964, 1990, 1991)
        for job in JOBS
    ]
    (clinic.root / "census.csv").write_text("sex,born,job,people\n" + "\n".join(lines) + "\n")


def test_a_population_lets_small_classes_through_where_k_map_is_asked(clinic: Hospital) -> None:
    prepare(clinic, rows())
    census(clinic, people=20)
    asked = "population: {file: census.csv, count: people}, k_map: {k: 60}, delta_presence: {max: 0.5}"
    frame, found = run(clinic, asked, k=1)
    models = {each["model"]: each for each in found["models"]}
    assert models["k-map(k=60)"]["found"] >= 60
    assert models["delta-presence(0 to 0.5)"]["found"] <= 0.5
    assert found["population"]["people"] == 20 * 2 * 6 * 4
    assert patients(frame).min() < 60


def test_a_population_in_published_labels_is_taken_as_it_is(clinic: Hospital) -> None:
    prepare(clinic, rows())
    text = TABLE.replace('age_at: "2020-01-01"}', 'age_at: "2020-01-01", as: band}').replace(
        "born, job]", "band, kind]"
    )
    text = text.replace("job.csv, level: %s}", "job.csv, level: %s, as: kind}")
    (clinic.root / "labels.csv").write_text("sex,band,kind,people\nF,*,*,500\nM,*,*,400\n")
    asked = "population: {file: labels.csv, count: people}, k_map: {k: 400}"
    result = clinic.run(HEAD + gates(k=1) + text % (4, 2, asked))
    risk = json.loads((result.snapshot / "risk.json").read_text())["visits"]["privacy"]
    assert {each["model"]: each["found"] for each in risk["models"]}["k-map(k=400)"] == 400


@pytest.mark.parametrize(
    "content",
    [
        None,
        "sex,born\nF,1940-01-01\n",
        "sex,born,job,people\nF,gestern,nurse,3\n",
        "sex,born,job,people\nF,1940-01-01,thief,3\n",
        "sex,born,job,people\nF,,,x\n",
    ],
)
def test_a_bad_population_table_is_refused_by_name(clinic: Hospital, content: str | None) -> None:
    prepare(clinic, rows(20))
    if content is not None:
        (clinic.root / "census.csv").write_text(content)
    with pytest.raises(SourceError) as caught:
        run(clinic, "population: {file: census.csv, count: people}, k_map: {k: 2}", levels=(4, 2))
    assert caught.value.code == "deid.source-population"
    assert "gestern" not in str(caught.value) + caught.value.en


def test_risks_models_and_costs_stand_on_the_page_that_is_signed(clinic: Hospital) -> None:
    prepare(clinic, rows())
    census(clinic, people=20)
    asked = (
        "l: {column: event, l: 2}, t: {column: cost, t: 0.9}, population: {file: census.csv, count: people}, "
        "k_map: {k: 20}, delta_presence: {max: 0.9}, sampling_fraction: 0.2, task: {column: event}, "
        "risk: {prosecutor: 0.5, journalist: 0.5, marketer: 0.5, unique: 0.5, population_unique: 0.5}"
    )
    result = clinic.run(HEAD + gates(k=3, share=0.5) + TABLE % (3, 1, asked))
    page = (result.snapshot / "report.html").read_text()
    found = json.loads((result.snapshot / "risk.json").read_text())["visits"]["privacy"]
    for model in ("k-anonymity(k=3)", "distinct l-diversity", "t-closeness(cost", "k-map(k=20)", "delta-presence(0 to"):
        assert model in page
    for gate in ("prosecutor", "journalist", "marketer", "unique", "population_unique"):
        assert f"risk_{gate}" in page
    # Shown in plots and the tables beside them.
    for words in ("20%)", "up to five times", "certainty penalty (NCP)", "counting queries (median)", "accuracy"):
        assert words in page
    assert 0 < found["loss"]["ncp"] < 1
    assert found["task"]["after"] <= 1


def test_cost_task_and_uniqueness_are_in_the_report(clinic: Hospital) -> None:
    data = rows(400)
    for row in data:
        row[4] = "C50" if row[3] == "cook" else "I10" if row[3] == "baker" else row[4]
    prepare(clinic, data)
    asked = "task: {column: event}, sampling_fraction: 0.05"
    _, fine = run(clinic, asked, levels=(1, 0), share=0.5)
    _, coarse = run(clinic, asked, levels=(4, 2), share=0.5)
    assert fine["task"]["before"] == coarse["task"]["before"] > fine["task"]["baseline"]
    assert fine["task"]["after"] > coarse["task"]["after"]
    assert fine["loss"]["ncp"] < coarse["loss"]["ncp"]
    assert fine["query_error"] <= coarse["query_error"]
    assert fine["uniqueness"]["model"] in {"sample", "pitman", "zayatz", "snb"}


BAD = [
    ("l: {column: nothing, l: 2}", "deid.recipe-sensitive"),
    ("l: {column: patient, l: 2}", "deid.recipe-sensitive"),
    ("l: {column: sex, l: 2}", "deid.recipe-sensitive"),
    ("l: {column: event, l: 2, kind: recursive}", "deid.recipe-c"),
    ("l: {column: event, l: 2, c: 2}", "deid.recipe-c"),
    ("l: {column: event, l: 2, kind: some}", "deid.recipe-word"),
    ("t: {column: event, t: 2}", "deid.recipe-range"),
    ("t: {column: event, t: 0.1, ground: hierarchy}", "deid.recipe-ground"),
    ("t: {column: event, t: 0.1, ground: hierarchy, hierarchy: none}", "deid.recipe-hierarchy"),
    ("k_map: {k: 5}", "deid.recipe-population"),
    ("population: {file: ../census.csv}", "deid.recipe-file"),
    ("population: {file: c.csv}, delta_presence: {min: 0.5, max: 0.1}", "deid.recipe-range"),
    ("risk: {population_unique: 0.1}", "deid.recipe-fraction"),
    ("search: {weights: {event: 2}}", "deid.recipe-reference"),
    ("search: {method: luck}", "deid.recipe-word"),
    ("search: {method: mondrian, suppression: 0.1}", "deid.recipe-suppression"),
    ("secret: 1", "deid.recipe-unknown"),
]


@pytest.mark.parametrize(("privacy", "code"), BAD, ids=[text for text, _ in BAD])
def test_a_section_that_means_nothing_is_refused_with_its_place(clinic: Hospital, privacy: str, code: str) -> None:
    prepare(clinic, [])
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(HEAD + gates() + TABLE % (1, 1, privacy))
    assert caught.value.code == code
    assert caught.value.line == HEAD.count("\n") + 1 + TABLE.count("\n")


def test_a_level_is_left_open_only_for_quasi_identifiers(clinic: Hospital) -> None:
    prepare(clinic, rows(20))
    text = TABLE.replace("quasi_identifiers: [sex, born, job]", "quasi_identifiers: [sex, born]")
    with pytest.raises(RecipeError) as caught:
        clinic.run(HEAD + gates() + text % ("auto", "auto", "k: 2"))
    assert caught.value.code == "deid.recipe-auto"
