"""A plan for every format: what is proposed is a recipe that loads and runs, and the schema's word stands."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner

from deid import cli, engine, recipe
from deid.planning.draft import Head, recipe_text
from deid.planning.measure import settle
from deid.planning.role import TablePlan
from deid.planning.tables import plan_tables
from deid.planning.where import Where
from tests.deid.factory import NOW, Hospital, table

HEAD = Head("clinic", ("시험", "test"), "testhospital", "시험", 2, 0.5)


def visits(count: int = 60) -> pl.DataFrame:
    random = Random(1)
    return pl.DataFrame({
        "환자번호": [f"{31000000 + n // 2}" for n in range(count)],
        "성별": [random.choice("남여") for _ in range(count)],
        "검사일": [f"2020-0{1 + n % 9}-11" for n in range(count)],
        "결과": [f"{random.uniform(3, 9):.1f}" for _ in range(count)],
    })  # fmt: skip


def as_parquet(folder: Path) -> None:
    visits().with_columns(pl.col("검사일").str.to_date(), pl.col("결과").cast(float)).write_parquet(
        folder / "visits.parquet"
    )


def as_workbook(folder: Path) -> None:
    book = openpyxl.Workbook()
    for row in (visits().columns, *visits().rows()):
        book.active.append(row)
    hidden = book.create_sheet("참고")
    hidden.sheet_state = "hidden"
    hidden.append(["비밀"])
    hidden.append(["x"])
    book.save(folder / "visits.xlsx")


def as_semicolons(folder: Path) -> None:
    visits().write_csv(folder / "visits.csv", separator=";")


def planned(clinic: Hospital) -> tuple[list[TablePlan], recipe.Recipe]:
    tables, found = settle(HEAD, plan_tables(Where(clinic.source, None).peeks()), clinic.source)
    return tables, clinic.recipe(recipe_text(HEAD, tables, found.links))


@pytest.mark.parametrize("write", [as_parquet, as_workbook, as_semicolons])
def test_a_plan_for_another_format_runs_at_once(clinic: Hospital, write: object) -> None:
    write(clinic.source)  # type: ignore[operator]
    (one,), plan = planned(clinic)
    assert one.subject == "환자번호"
    result = engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "private")
    (name,) = result.manifest.tables
    assert table(result, name).height > 0


def test_a_folder_of_the_omop_model_is_planned_by_what_the_model_says(clinic: Hospital) -> None:
    people = pl.DataFrame({
        "person_id": range(1, 41),
        "gender_concept_id": [8507, 8532] * 20,
        "year_of_birth": [1950 + n % 4 * 10 for n in range(40)],
        "birth_datetime": ["1950-03-04"] * 40,
        "location_id": [n % 3 for n in range(40)],
        "person_source_value": [f"{n:08d}" for n in range(40)],
        "ethnicity_source_value": ["x"] * 40,
    })  # fmt: skip
    people.write_csv(clinic.source / "person.csv")
    people.select("person_id").with_columns(
        measurement_id=pl.int_range(40), measurement_date=pl.lit("2020-01-02"), value_as_number=pl.int_range(40) % 5,
        value_source_value=pl.lit("4.1 mg"),
    ).write_parquet(clinic.source / "measurement.parquet")  # fmt: skip
    tables, plan = planned(clinic)
    chosen = {each.source: each.fields["treatment"] for one in tables for each in one.columns}
    assert chosen["person_id"] == "pseudonym"
    assert chosen["measurement_date"] in {"date_shift", "generalise"}
    for name in ("person_source_value", "birth_datetime", "value_source_value", "ethnicity_source_value"):
        assert chosen[name] != "keep", name
    assert {one.origin.omop for one in plan.tables} == {"person", "measurement"}
    engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "private")


def test_resources_are_planned_by_what_fhir_says(clinic: Hospital) -> None:
    patients = [
        {"resourceType": "Patient", "id": f"p{n}", "name": [{"text": "김철수"}], "gender": ["male", "female"][n % 2],
         "birthDate": f"19{50 + n % 4 * 10}-01-02", "identifier": [{"value": f"{n:08d}"}]}
        for n in range(40)
    ]  # fmt: skip
    observations = [
        {"resourceType": "Observation", "id": f"o{n}", "subject": {"reference": f"Patient/p{n % 40}"},
         "effectiveDateTime": "2020-02-03T23:30:00Z", "valueQuantity": {"value": n % 7}}
        for n in range(80)
    ]  # fmt: skip
    for kind, resources in (("Patient", patients), ("Observation", observations)):
        lines = "".join(json.dumps(resource, ensure_ascii=False) + "\n" for resource in resources)
        (clinic.source / f"{kind}.ndjson").write_text(lines)
    tables, plan = planned(clinic)
    chosen = {(one.name, each.source): each.fields["treatment"] for one in tables for each in one.columns}
    assert chosen["patient", "id"] == chosen["observation", "subject.reference"] == "pseudonym"
    assert chosen["patient", "name"] == chosen["patient", "identifier"] == "drop"
    assert chosen["patient", "birthDate"] in {"generalise", "drop"}
    assert chosen["observation", "effectiveDateTime"] == "date_shift"
    result = engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "private")
    days = table(result, "observation")["effective_date_time"]
    assert days.dtype == pl.Date


def test_a_table_of_the_omop_model_without_a_person_is_left_out_and_the_recipe_says_so(clinic: Hospital) -> None:
    pl.DataFrame({"person_id": range(40), "gender_concept_id": [8507, 8532] * 20}).write_csv(
        clinic.source / "person.csv"
    )
    pl.DataFrame({"provider_id": range(9), "provider_name": ["김철수"] * 9}).write_csv(clinic.source / "provider.csv")
    out = clinic.root / "plan.yaml"
    done = CliRunner().invoke(cli.deid, ["plan", str(clinic.source), "--yes", "--k", "2", "--out", str(out)])
    assert done.exit_code == 0, done.output + done.stderr
    text = out.read_text(encoding="utf-8")
    assert [one.name for one in recipe.load(out).tables] == ["person"]
    assert "# provider: Left out: no column of it names a person." in text
    assert "provider: 환자를 가리키는 열이 없어 뺐습니다." in done.stderr.replace("\n", " ")
    (clinic.source / "person.csv").unlink()
    alone = CliRunner().invoke(cli.deid, ["plan", str(clinic.source), "--yes", "--out", str(out), "--force"])
    assert (alone.exit_code, "deid.source-no-person" in alone.stderr) == (4, True)
