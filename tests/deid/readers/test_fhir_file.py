"""FHIR R4 bulk exports: what identifies is known and must be named, nothing passes by being forgotten (R104)."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from deid.errors import DeidError, RecipeError, SourceError
from tests.deid.factory import HEAD, Hospital, gates, table

RRN = "900101-1234568"
NAME = "김철수"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"source": "http://ocs.hospital/1", "lastUpdated": "2020-01-01T00:00:00Z", "versionId": "1"},
    "text": {"status": "generated", "div": f"<div>{NAME}</div>"},
    "contained": [{"resourceType": "Practitioner", "id": "d", "name": [{"text": "이영희"}]}],
    "extension": [{"url": "http://x/religion", "valueString": "불교"}],
    "identifier": [{"system": "urn:oid:1.2.410.100110.10.101", "type": {"text": "주민등록번호"}, "value": RRN}],
    "name": [{"use": "official", "text": NAME}],
    "telecom": [{"system": "phone", "value": "010-1234-5678"}],
    "gender": "male",
    "birthDate": "1990-01-01",
    "_birthDate": {"extension": [{"url": "http://x/birthTime", "valueDateTime": "1990-01-01T03:04:05+09:00"}]},
    "deceasedDateTime": "2021-03-01T10:00:00+09:00",
    "address": [{"city": "광주광역시 북구", "line": ["무등로 1"], "postalCode": "61234"}],
    "maritalStatus": {"coding": [{"system": "http://x", "code": "M", "display": "Married"}]},
    "photo": [{"contentType": "image/png", "data": "iVBORw0KGgo="}],
    "contact": [{"name": {"text": "박보호"}}],
    "generalPractitioner": [{"reference": "Practitioner/7", "display": "이영희"}],
}
# What must be named, whatever else may be left out.
IDENTIFYING = [
    "meta.source", "meta.lastUpdated", "meta.versionId", "text.div", "contained.name.text", "extension.valueString",
    "identifier.value", "name.text", "telecom.value", "birthDate", "birthDate.extension.valueDateTime",
    "deceasedDateTime", "address.city", "address.line", "address.postalCode", "photo.data", "contact.name.text",
    "generalPractitioner.reference", "generalPractitioner.display",
]  # fmt: skip
DROPPED = [
    "meta", "text", "contained", "extension", "identifier", "name", "telecom", "address", "photo", "contact",
    "generalPractitioner",
]  # fmt: skip
COLUMNS = {
    "id": "{treatment: pseudonym, domain: patient, as: patient}",
    **dict.fromkeys(DROPPED, "{treatment: drop}"),
    "gender": "{treatment: keep}",
    "birthDate": "{treatment: generalise, age_at: '2020-01-01', band: {width: 10}, as: age}",
    "birthDate.extension": "{treatment: drop}",
    "deceasedDateTime": "{treatment: date_shift, max_days: 30, as: died}",
    "maritalStatus.coding.code": "{treatment: keep, as: married}",
}
OBSERVATIONS = [
    {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"},
                            {"system": "http://hospital", "code": "HB"}]},
        "subject": {"reference": ["Patient/p1", "http://ehr/fhir/Patient/p1", "Patient/p1/_history/3",
                                  "urn:uuid:p1"][n % 4]},
        "effectiveDateTime": "2020-02-03T23:30:00+09:00",
        "valueQuantity": {"value": 13.50, "unit": "g/dL"},
        "performer": [{"reference": "Practitioner/7"}],
    }
    for n in range(8)
]  # fmt: skip
OBSERVED = {
    "id": "{treatment: drop}",
    "status": "{treatment: drop}",
    "code.coding.where(system='http://loinc.org').code": "{treatment: keep, as: loinc}",
    "subject.reference": "{treatment: pseudonym, domain: patient, as: patient}",
    "effectiveDateTime": "{treatment: date_shift, max_days: 30, as: day}",
    "valueQuantity.value": "{treatment: keep, type: number, as: value}",
    "performer.reference": "{treatment: pseudonym, domain: practitioner, as: performer}",
}


def recipe(columns: dict[str, str], *, resource: str = "Patient", subject: str = "id", more: str = "") -> str:
    lines = "".join(f'      "{name}": {fields}\n' for name, fields in columns.items())
    return f"""\
  {resource.lower()}:
    file: {resource}.ndjson
    subject: {subject}
    label: x
    {more}
    columns:
{lines}"""


def write(clinic: Hospital, *resources: dict[str, Any] | str, name: str = "Patient") -> None:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in resources]
    clinic.write(f"{name}.ndjson", "\n".join(lines) + "\n")


def text_of(*tables: str, more: str = "") -> str:
    return HEAD + gates(k=1, more=more) + "tables:\n" + "".join(tables)


def refused(clinic: Hospital, text: str) -> DeidError:
    with pytest.raises(DeidError) as caught:
        clinic.run(text)
    assert clinic.left_behind() == []
    said = caught.value.ko + caught.value.en + caught.value.remedy_ko
    for secret in (NAME, "이영희", RRN, "무등로", "불교", "61234"):
        assert secret not in said
    return caught.value


def test_patients_and_observations_meet_under_one_pseudonym(clinic: Hospital) -> None:
    write(clinic, PATIENT, {**PATIENT, "id": "p2", "deceasedDateTime": None})
    write(clinic, *OBSERVATIONS, name="Observation")
    observed = recipe(OBSERVED, resource="Observation", subject="subject.reference", more="others: drop")
    result = clinic.run(text_of(recipe(COLUMNS, more="others: drop"), observed))
    people, values = table(result, "patient"), table(result, "observation")
    one = values["patient"].unique()
    assert one.len() == 1
    assert set(one) < set(people["patient"])
    assert people["age"].to_list() == ["30-39", "30-39"]
    assert people["married"].to_list() == ["M", "M"]
    assert values["loinc"].unique().to_list() == ["718-7"]
    assert values["value"].unique().to_list() == [13.5]
    assert values["performer"].n_unique() == 1
    shift = values["day"][0] - pl.Series(["2020-02-03"]).str.to_date().item()
    died = people.filter(pl.col("patient") == one.item())["died"].item()
    assert died - pl.Series(["2021-03-01"]).str.to_date().item() == shift
    assert result.manifest.lineage["sources"][0]["schema"] == "FHIR R4 Patient"
    for path in result.snapshot.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for secret in (NAME, RRN, "010-1234-5678", "무등로"):
            assert secret.encode() not in data


@pytest.mark.parametrize("path", IDENTIFYING)
def test_an_identifying_element_that_is_not_named_stops_the_run(clinic: Hospital, path: str) -> None:
    write(clinic, PATIENT)
    parts = path.split(".")
    prefixes = {".".join(parts[: n + 1]) for n in range(len(parts))}
    columns = {name: fields for name, fields in COLUMNS.items() if name not in prefixes}
    if path == "birthDate":
        columns["birthDate.extension"] = "{treatment: drop}"
    error = refused(clinic, text_of(recipe(columns, more="others: drop")))
    assert (error.code, path in error.ko) == ("deid.source-untreated-column", True)


def test_without_others_every_element_must_be_named(clinic: Hospital) -> None:
    write(clinic, PATIENT)
    error = refused(clinic, text_of(recipe(COLUMNS)))
    assert error.code == "deid.source-untreated-column"
    assert "maritalStatus.coding.display" in error.en
    named = {**COLUMNS, "maritalStatus.coding.system": "{treatment: drop}",
             "maritalStatus.coding.display": "{treatment: drop}"}  # fmt: skip
    clinic.run(text_of(recipe(named)))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("birthDate", "{treatment: keep, type: date, as: born}"),
        ("gender.extension", "{treatment: keep, as: x}"),
        ("id", "{treatment: keep}"),
        ("name.text", "{treatment: keep, as: name}"),
        ("name.text", "{treatment: generalise, prefix: 50, as: name}"),
        ("identifier.where(system='urn:x').value", "{treatment: keep, as: number}"),
        ("address.postalCode", "{treatment: keep, as: zip}"),
        ("deceasedDateTime", "{treatment: keep, as: died}"),
        ("text.div", "{treatment: generalise, prefix: 20, as: div}"),
        ("generalPractitioner.display", "{treatment: keep, as: doctor}"),
        ("managingOrganization.reference", "{treatment: keep, as: org}"),
    ],
)
def test_an_identifying_element_is_not_published_as_it_is(clinic: Hospital, path: str, fields: str) -> None:
    columns = {"id": COLUMNS["id"], path: fields}
    if path == "id":
        columns = {"id": fields, "subject.reference": COLUMNS["id"]}
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text_of(recipe(columns, subject=list(columns)[-1] if path == "id" else "id")))
    assert caught.value.code == "deid.recipe-identifying"
    if path == "id":
        return
    allowed = fields.replace("}", ", keep_identifying: true, reason: 심의 결과}")
    clinic.recipe(text_of(recipe({"id": COLUMNS["id"], path: allowed})))
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text_of(recipe({"id": COLUMNS["id"], path: fields.replace("}", ", keep_identifying: true}")})))
    assert caught.value.code == "deid.recipe-reason"


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        ("{not json", "broken-json", 2),
        ('{"resourceType": "Patient", "id": NaN}', "broken-json", 2),
        ("[" * 100_000, "broken-json", 2),
        ('"Patient"', "resource", 2),
        ({**PATIENT, "resourceType": "Observation"}, "resource", 2),
        ({**PATIENT, "김철수": "x"}, "element", 2),
        ({**PATIENT, "birthDate": "1990-13-01"}, "value", 2),
        ({**PATIENT, "birthDate": "1990"}, "value", 2),
        ({**PATIENT, "id": None}, "no-patient", 2),
        ({**PATIENT, "gender": ["male", "female"]}, "path-several", 2),
        ({**PATIENT, "gender": {"text": "x"}}, "path-parts", 2),
        ({**PATIENT, "deceasedDateTime": "2021-03-01T20:00:00Z"}, "time-zone", 2),
    ],
)
def test_a_bad_line_is_refused_by_its_number(
    clinic: Hospital, change: dict[str, Any] | str, code: str, line: int
) -> None:
    write(clinic, PATIENT, change)
    error = refused(clinic, text_of(recipe(COLUMNS, more="others: drop")))
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == (f"deid.source-{code}", line)


@pytest.mark.parametrize("reference", [f"Patient?identifier={RRN}", "Group/1", "#p1", NAME])
def test_a_subject_that_is_no_plain_reference_is_refused(clinic: Hospital, reference: str) -> None:
    write(clinic, OBSERVATIONS[0], {**OBSERVATIONS[1], "subject": {"reference": reference}}, name="Observation")
    text = text_of(recipe(OBSERVED, resource="Observation", subject="subject.reference", more="others: drop"))
    error = refused(clinic, text)
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == ("deid.source-reference", 2)


def test_a_time_zone_says_where_days_are_counted(clinic: Hospital) -> None:
    columns = {
        **OBSERVED,
        "effectiveDateTime": "{treatment: keep, type: date, as: day, keep_identifying: true, reason: x}",
    }
    utc = [{**o, "effectiveDateTime": "2020-02-03T20:00:00Z"} for o in OBSERVATIONS]
    write(clinic, *utc, name="Observation")
    text = text_of(recipe(columns, resource="Observation", subject="subject.reference",
                          more="others: drop\n    timezone: Asia/Seoul"))  # fmt: skip
    result = clinic.run(text)
    assert str(table(result, "observation")["day"][0]) == "2020-02-04"
    assert result.manifest.lineage["sources"][0]["review"] == ["effectiveDateTime"]


def test_a_published_element_that_is_nowhere_is_an_error_unless_it_is_optional(clinic: Hospital) -> None:
    write(clinic, {k: v for k, v in PATIENT.items() if k != "deceasedDateTime"})
    with pytest.raises(RecipeError) as caught:
        clinic.run(text_of(recipe(COLUMNS, more="others: drop")))
    assert caught.value.code == "deid.recipe-unknown-column"
    result = clinic.run(text_of(recipe(COLUMNS, more="others: drop\n    optional: [deceasedDateTime]")))
    assert table(result, "patient")["died"].to_list() == [None]


def test_free_text_of_a_resource_needs_the_gate_that_looks_for_identifiers(clinic: Hospital) -> None:
    columns = {**COLUMNS, "maritalStatus.text": "{treatment: free_text, as: note}"}
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text_of(recipe(columns)))
    assert caught.value.code == "deid.recipe-gate"
    clinic.recipe(text_of(recipe(columns), more=", no_direct_identifier_left: {sample: 10}"))


def test_a_line_over_the_limit_and_bytes_that_are_no_utf8_are_refused(clinic: Hospital) -> None:
    write(clinic, PATIENT)
    text = text_of(recipe(COLUMNS, more="others: drop"))
    assert refused(clinic, text + "limits: {line_bytes: 100}\n").code == "deid.source-broken-line"
    clinic.write("Patient.ndjson", json.dumps(PATIENT, ensure_ascii=False).encode("cp949"))
    assert refused(clinic, text).code == "deid.source-encoding"
