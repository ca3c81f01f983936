"""OMOP CDM v5.4: what identifies is known by its name, and is not published as it is (R105)."""

from __future__ import annotations

import pytest

from deid.errors import RecipeError
from deid.schemas import fhir, omop
from deid.schemas.kinds import MEANINGS, Kind, proposal
from tests.deid.factory import HEAD, Hospital, gates, table

PERSON = """\
tables:
  person:
    file: person.csv
    omop: person
    subject: person_id
    label: 환자
    columns:
      person_id: {treatment: pseudonym, domain: patient}
      gender_concept_id: {treatment: keep, type: integer}
      year_of_birth: {treatment: generalise, type: integer, band: {width: 10}}
      month_of_birth: {treatment: drop}
      person_source_value: {treatment: drop}
      location_id: {treatment: pseudonym, domain: location}
      gender_source_value: {treatment: drop}
"""
TEXT = HEAD + gates(k=1) + PERSON


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("person_id", Kind.PERSON),
        ("PERSON_ID", Kind.PERSON),
        ("visit_occurrence_id", Kind.KEY),
        ("preceding_visit_occurrence_id", Kind.KEY),
        ("provider_id", Kind.KEY),
        ("care_site_id", Kind.KEY),
        ("fact_id_1", Kind.KEY),
        ("person_source_value", Kind.DIRECT),
        ("provider_name", Kind.DIRECT),
        ("npi", Kind.DIRECT),
        ("address_1", Kind.DIRECT),
        ("unique_device_id", Kind.DIRECT),
        ("condition_source_value", Kind.SOURCE),
        ("value_source_value", Kind.SOURCE),
        ("note_text", Kind.TEXT),
        ("snippet", Kind.TEXT),
        ("value_as_string", Kind.TEXT),
        ("sig", Kind.TEXT),
        ("year_of_birth", Kind.BIRTH),
        ("birth_datetime", Kind.BIRTH),
        ("death_date", Kind.DATE),
        ("visit_start_datetime", Kind.DATE),
        ("measurement_time", Kind.DATE),
        ("zip", Kind.PLACE),
        ("gender_concept_id", None),
        ("condition_source_concept_id", None),
        ("domain_concept_id_1", None),
        ("value_as_number", None),
        ("quantity", None),
        ("days_supply", None),
        ("cohort_definition_id", None),
    ],
)
def test_a_column_of_the_model_is_known_by_its_name(column: str, kind: Kind | None) -> None:
    assert omop.kind_of(column) == kind


def test_a_folder_of_the_model_is_published(clinic: Hospital) -> None:
    header = (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,person_source_value,location_id,gender_source_value"
    )
    clinic.write("person.csv", header + "\n1,8507,1950,3,00123,7,M\n2,8532,1961,4,00124,7,F\n")
    result = clinic.run(TEXT)
    frame = table(result, "person")
    assert sorted(frame["year_of_birth"]) == ["1950-1959", "1960-1969"]
    assert frame["location_id"].n_unique() == 1
    assert result.manifest.lineage["sources"][0]["schema"] == "OMOP CDM v5.4 person"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "year_of_birth: {treatment: generalise, type: integer, band: {width: 10}}",
            "year_of_birth: {treatment: keep}",
        ),
        ("month_of_birth: {treatment: drop}", "month_of_birth: {treatment: keep}"),
        ("person_source_value: {treatment: drop}", "person_source_value: {treatment: keep}"),
        ("person_source_value: {treatment: drop}", "person_source_value: {treatment: generalise, prefix: 9}"),
        ("location_id: {treatment: pseudonym, domain: location}", "location_id: {treatment: keep}"),
        ("gender_source_value: {treatment: drop}", "gender_source_value: {treatment: keep}"),
    ],
)
def test_what_identifies_is_not_published_as_it_is_unless_the_recipe_says_why(
    clinic: Hospital, old: str, new: str
) -> None:
    text = TEXT.replace(old, new)
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text)
    assert caught.value.code == "deid.recipe-identifying"
    assert text.splitlines()[caught.value.line - 1].strip() == new
    clinic.recipe(text.replace(new, new[:-1] + ", keep_identifying: true, reason: 심의위원회 결정}"))


def test_the_patient_of_a_table_of_the_model_is_the_person(clinic: Hospital) -> None:
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(TEXT.replace("subject: person_id", "subject: location_id"))
    assert caught.value.code == "deid.recipe-subject"


def test_a_note_needs_the_gate_and_is_listed_for_review(clinic: Hospital) -> None:
    note = """\
tables:
  note:
    file: note.csv
    omop: note
    subject: person_id
    label: 기록
    columns:
      person_id: {treatment: pseudonym, domain: patient}
      note_text: {treatment: free_text}
"""
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(HEAD + gates(k=1) + note)
    assert caught.value.code == "deid.recipe-gate"
    clinic.write("note.csv", "person_id,note_text\n1,환자 김철수 내원\n")
    result = clinic.run(HEAD + gates(k=1, more=", no_direct_identifier_left: {sample: 5}") + note)
    assert result.manifest.lineage["sources"][0]["review"] == ["note"]


def test_an_unknown_table_of_the_model_is_answered_with_the_known_ones(clinic: Hospital) -> None:
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(TEXT.replace("omop: person", "omop: persons"))
    assert "person" in caught.value.ko


def test_every_kind_has_words_and_a_proposal_that_is_allowed(clinic: Hospital) -> None:
    assert set(MEANINGS) == set(Kind)
    for kind in Kind:
        assert proposal(kind, "x", domain="d")["treatment"] in {"pseudonym", "drop", "free_text", "date_shift"}
    assert proposal(Kind.BIRTH, "year_of_birth", domain="d")["band"] == {"width": 10}
    assert omop.domain_of("preceding_visit_occurrence_id") == omop.domain_of("visit_occurrence_id")
    assert fhir.domain_of("encounter.reference") == "encounter"


def test_a_providers_column_map_is_held_like_a_schema(clinic: Hospital) -> None:
    (clinic.root / "clinic.yaml").write_text("profile: 1\ncolumns: {doctor: direct, 특이사항: text}\n")
    text = """\
profile: clinic.yaml
tables:
  visits:
    file: visits.csv
    subject: no
    label: 방문
    columns:
      no: {treatment: pseudonym, domain: patient}
      doctor: {treatment: keep}
"""
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(HEAD + gates(k=1) + text)
    assert (caught.value.code, caught.value.line) == ("deid.recipe-identifying", 16)
    plan = clinic.recipe(HEAD + gates(k=1) + text.replace("doctor: {treatment: keep}", "doctor: {treatment: drop}"))
    assert plan.known.columns == {"doctor": Kind.DIRECT, "특이사항": Kind.TEXT}
    (clinic.root / "clinic.yaml").write_text("profile: 1\ncolumns: {doctor: person_of_sorts}\n")
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(HEAD + gates(k=1) + text)
    assert caught.value.file == "clinic.yaml"


@pytest.mark.parametrize(
    ("name", "columns", "asked"),
    [
        ("note.csv", ("person_id", "note_id"), ["note"]),
        ("NOTE_NLP.parquet", ("person_id", "NOTE_NLP_ID"), ["note_nlp"]),
        ("provider.csv", ("PERSON_ID", "provider_id"), ["provider"]),
        ("location.csv", ("person_id", "location_id"), ["location"]),
        ("person.csv", ("person_id", "person_source_value"), ["person_source_value"]),
        ("measurement.csv", ("person_id", "measurement_id"), []),
        ("note.csv", ("hospital_no", "memo"), []),
        ("visits.csv", ("no", "Person_Source_Value"), ["Person_Source_Value"]),
    ],
)
def test_what_reviewers_must_see_is_known_whether_the_recipe_says_omop_or_not(
    name: str, columns: tuple[str, ...], asked: list[str]
) -> None:
    assert omop.to_review(omop.table_of(name, columns), columns) == asked


def test_a_dropped_source_value_of_a_person_still_triggers_review_in_the_signed_manifest(clinic: Hospital) -> None:
    header = (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,person_source_value,location_id,gender_source_value"
    )
    clinic.write("person.csv", f"{header}\n1,8507,1950,3,00012345,7,M\n2,8532,1960,4,00012346,8,F\n")
    for text in (TEXT, TEXT.replace("    omop: person\n", "").replace("version: 1", "version: 2")):
        (source,) = clinic.run(text).manifest.lineage["sources"]
        assert source["review"] == ["person_source_value"]
