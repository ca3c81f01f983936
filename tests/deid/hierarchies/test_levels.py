"""Levels of hierarchies in a recipe: as quasi-identifiers, in tables kept in memory and streamed ones, and refusals."""

from __future__ import annotations

import pytest

from deid.errors import RecipeError, SourceError
from tests.deid.factory import HEAD, Hospital, gates, table

TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {{ko: 방문, en: Visits}}
    subject: no
    quasi_identifiers: [code, home]
    columns:
      no: {{treatment: pseudonym, domain: patient, as: patient}}
      code: {{treatment: generalise, hierarchy: kcd8, level: {level}{more}}}
      home: {{treatment: generalise, hierarchy: sigungu, level: 2}}
      age: {{treatment: generalise, hierarchy: age, level: 1}}
      born: {{treatment: generalise, hierarchy: age, level: 2, age_at: "2020-01-01"}}
      post: {{treatment: generalise, hierarchy: postcode, level: 4}}
      job: {{treatment: generalise, hierarchy: job.csv, level: 1}}
"""
SOURCE = """\
no,code,home,age,born,post,job
n1,C50.1,광주 북구 용봉동 1,37,1980-05-05,61452,nurse
n2,c509,광주광역시 동구 제봉로,93,1920-05-05,61001,doctor
n3,D05,광주광역시 서구 치평동,8,,61452,
"""


def run(
    clinic: Hospital, level: object = 3, more: str = "", source: str = SOURCE, k: int = 3
) -> list[dict[str, object]]:
    clinic.write("visits.csv", source)
    (clinic.root / "job.csv").write_text("nurse;clinic;*\ndoctor;clinic;*\n")
    result = clinic.run(HEAD + gates(k=k) + TABLE.format(level=level, more=more))
    return table(result, "visits").sort("age").drop("patient").to_dicts()


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept in memory", "streamed"])
def test_levels_are_published_and_count_for_k(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    both = {"code": "C00-D48", "home": "광주광역시"}
    assert run(clinic) == [
        both | {"age": "35-39", "born": "30-39", "post": "*", "job": "clinic"},
        both | {"age": "5-9", "born": None, "post": "*", "job": None},
        both | {"age": "90+", "born": "90+", "post": "*", "job": "clinic"},
    ]


def test_a_finer_level_leaves_fewer_people_alike(clinic: Hospital) -> None:
    assert len(run(clinic, level=1, k=2)) == 2


def test_an_unknown_code_becomes_other_or_stops_the_run_with_its_line(clinic: Hospital) -> None:
    source = SOURCE.replace("c509", "c5X9")
    assert {row["code"] for row in run(clinic, more=", other: 기타", source=source, k=1)} == {"C00-D48", "기타"}
    with pytest.raises(SourceError) as caught:
        run(clinic, source=source)
    assert (caught.value.code, caught.value.line) == ("deid.source-hierarchy", 3)
    assert "c5X9" not in f"{caught.value.ko}{caught.value.en}"


@pytest.mark.parametrize(
    ("level", "more", "code"),
    [(5, "", "range"), ("auto", "", "auto"), (3, ", age_at: '2020-01-01'", "age"), (3, ", prefix: 2", "missing")],
)
def test_what_the_hierarchy_cannot_do_is_refused(clinic: Hospital, level: object, more: str, code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        run(clinic, level, more)
    assert caught.value.code == f"deid.recipe-{code}"


@pytest.mark.parametrize("name", ["icd9", "../job.csv", "missing.csv"])
def test_a_hierarchy_that_is_not_there_is_refused(clinic: Hospital, name: str) -> None:
    clinic.write("visits.csv", SOURCE)
    text = (HEAD + gates() + TABLE.format(level=1, more="")).replace("job.csv", name)
    with pytest.raises(RecipeError) as caught:
        clinic.run(text)
    assert caught.value.code == "deid.recipe-hierarchy"
