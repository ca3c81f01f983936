"""Whole runs: linked tables, large tables in parts, reproducible bytes, what the manifest says."""

from __future__ import annotations

import hashlib
import json

import pytest

from deid import engine
from deid.errors import SourceError
from deid.snapshot import verify
from deid.versions import buckets
from tests.deid.factory import HEAD, NOW, PEOPLE, Hospital, files_of, gates, table, visits

LABS = """\
  labs:
    file: labs.csv
    label: {ko: 검사, en: Labs}
    subject: chart
    columns:
      chart: {treatment: pseudonym, domain: patient, as: patient}
      value: {treatment: keep, type: number}
      day: {treatment: date_shift, max_days: 30}
"""
LINK = "links: [{from: labs, to: visits}]\n"
PEOPLE_ROWS = [(f"n{n}", "x", "M" if n else "F", 30, "2020-01-01", n) for n in range(20)]


def labs(names: list[str]) -> str:
    return "chart,value,day\n" + "".join(f"{name},{n},2020-01-0{n % 3 + 1}\n" for n, name in enumerate(names))


def test_the_same_patient_has_the_same_pseudonym_and_shift_in_linked_tables(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(PEOPLE_ROWS))
    clinic.write("labs.csv", labs([f"n{n}" for n in range(1, 20)]))
    result = clinic.run(HEAD + gates(k=1) + PEOPLE + LABS + LINK)
    people, values = table(result, "visits"), table(result, "labs")
    both = people.join(values, on="patient")
    assert both.height == 19
    assert both["amount"].to_list() == [value + 1 for value in both["value"].to_list()]
    expected = [int(value) % 3 for value in both["value"].to_list()]
    assert (both["day_right"] - both["day"]).dt.total_days().to_list() == expected


def test_a_suppressed_patients_rows_go_from_linked_tables_too(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(PEOPLE_ROWS))  # n0 is the only F
    clinic.write("labs.csv", labs(["n0", "n0", "n1", "n2"]))
    result = clinic.run(HEAD + gates(k=5) + PEOPLE + LABS + LINK)
    assert table(result, "visits").height == 19
    assert sorted(table(result, "labs")["value"]) == [2.0, 3.0]
    assert result.manifest.tables["labs"].subjects == 2
    alone = clinic.run(HEAD + gates(k=5) + PEOPLE + LABS)  # no link: nothing says that labs depend on visits
    assert table(alone, "labs").height == 4


def test_with_whole_patients_a_patient_goes_everywhere_without_a_link(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(PEOPLE_ROWS))
    clinic.write("labs.csv", labs(["n0", "n1"]))
    result = clinic.run(HEAD + "suppress: patient\n" + gates(k=5) + PEOPLE + LABS)
    assert table(result, "labs").height == 1


def test_rows_of_unknown_patients_are_refused_where_the_link_says_so(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(PEOPLE_ROWS))
    clinic.write("labs.csv", labs(["n1", "stranger", "stranger"]))
    with pytest.raises(SourceError) as caught:
        clinic.run(HEAD + gates(k=1) + PEOPLE + LABS + LINK)
    assert caught.value.code == "deid.source-orphans"
    assert "2" in caught.value.en
    assert "stranger" not in str(caught.value)
    assert clinic.left_behind() == []


def test_a_table_written_in_parts_holds_the_same_rows_as_in_one(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"n{n % 97}", "x", "FM"[n % 2], n % 60, f"2020-01-{n % 28 + 1:02d}", n) for n in range(2000)]
    clinic.write("visits.csv", visits(rows))
    text = HEAD + gates(k=2) + PEOPLE
    whole = clinic.run(text)
    monkeypatch.setattr(engine, "PART_ROWS", 300)
    monkeypatch.setattr(buckets, "LEAST_ROWS", 100)
    parts = clinic.run(text)
    assert 4 < len(parts.manifest.tables["visits"].files) <= parts.manifest.tables["visits"].buckets == 16
    assert not list(parts.snapshot.rglob(".*")), "what was spread is gone"
    assert table(parts, "visits").equals(table(whole, "visits"))
    seen = [set(file.scan().collect()["patient"]) for file in files_of(parts, "visits")]
    assert sum(len(patients) for patients in seen) == len(set().union(*seen)), "a patient is in one file only"
    verify(parts.snapshot, clinic.public_key)


def test_rows_are_in_the_order_of_pseudonyms_and_not_of_the_hospital(clinic: Hospital) -> None:
    rows = [(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(200)]
    clinic.write("visits.csv", visits(rows))
    frame = table(clinic.run(HEAD + gates() + PEOPLE), "visits")
    assert frame["patient"].is_sorted()
    assert not frame["amount"].is_sorted()


def test_the_same_input_gives_the_same_file_in_whatever_order_its_rows_come(
    clinic: Hospital,
) -> None:
    rows = [(f"n{n % 50}", "x", "FM"[n % 2], n % 60, f"2020-01-{n % 28 + 1:02d}", n) for n in range(500)]
    clinic.write("visits.csv", visits(rows))
    first = clinic.run(HEAD + gates(k=2) + PEOPLE)
    clinic.write("visits.csv", visits(rows[::-1]))
    second = clinic.run(HEAD + gates(k=2) + PEOPLE)
    name = first.manifest.tables["visits"].files[0]
    assert table(first, "visits").equals(table(second, "visits"))
    assert (first.snapshot / name).read_bytes() != (second.snapshot / name).read_bytes(), "a key of its own"


def test_the_manifest_says_what_was_done_and_to_what(clinic: Hospital) -> None:
    path = clinic.write("visits.csv", visits(PEOPLE_ROWS))
    text = HEAD + gates(k=5) + PEOPLE
    manifest = clinic.run(text).manifest
    assert manifest.created_at == "2026-11-24T09:00:00Z"
    assert manifest.recipe_sha256 == hashlib.sha256(text.encode()).hexdigest()
    source = manifest.lineage["sources"][0]
    assert (source["rows"], source["sha256"]) == (20, hashlib.sha256(path.read_bytes()).hexdigest())
    assert source["columns"]["patient"] == "no"
    described = manifest.tables["visits"]
    assert (described.rows, described.subjects) == (19, 19)
    assert list(described.columns) == ["patient", "sex", "age", "day", "amount"]
    assert described.columns["age"].treatment == "generalise(band 10, top 80)"
    assert described.columns["age"].quasi_identifier
    assert described.columns["day"].dtype == "Date"
    assert manifest.risk["visits"]["k_source"] == 1
    assert manifest.risk["visits"]["k_published"] == 19
    assert {gate["gate"] for gate in manifest.gates} == {"k", "max_suppressed_share", "min_rows"}


def test_the_report_reads_in_both_languages_loads_nothing_and_shows_no_patient(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits([*PEOPLE_ROWS, ("n77", "<script>", "M", 30, "1931-05-06", 424242)]))
    result = clinic.run(HEAD.replace("ko: 방문", "ko: <b>방문") + gates(k=5) + PEOPLE)
    page = (result.snapshot / "report.html").read_text(encoding="utf-8")
    for words in ("위험도 보고서", "Risk report", "<svg", "date_shift(30)", "통과", "passed", "준식별자"):
        assert words in page
    for words in ("심의 번호", "서명", "Reviewer of adequacy 3"):
        assert words in page
    for never in ("<script", "http://", "https://", "<b>방문", "424242", "1931"):
        assert never not in page.replace("http://www.w3.org/2000/svg", "")
    risk = json.loads((result.snapshot / "risk.json").read_text(encoding="utf-8"))["visits"]
    assert (risk["source"]["smallest"], risk["published"]["smallest"]) == (1, 20)
    assert sum(risk["published"]["patients_by_size"]) == risk["published"]["records"] == 20
    kept = {entry["column"]: entry["kept"] for entry in risk["utility"]}
    assert kept["sex"] == 0.0  # one value is left, so nothing of its variety
    assert kept["amount"] > 0.9


def test_progress_is_told_from_the_first_byte(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(PEOPLE_ROWS))
    steps: list[engine.Step] = []
    recipe = clinic.recipe(HEAD + gates(k=1) + PEOPLE)
    engine.run(recipe, clinic.source, clinic.out, clinic.keys, now=NOW, progress=steps.append)
    assert steps[0].total == (clinic.source / "visits.csv").stat().st_size == steps[0].done
    assert all(step.ko and step.en and step.done >= 0 for step in steps)


def test_an_empty_field_is_missing_and_stays_missing(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits([("n1", "", "", "", "", ""), ("n2", "", "NA", 3, "", "")]))
    text = PEOPLE.replace("subject: no", "subject: no\n    nulls: [NA]")
    frame = table(clinic.run(HEAD + gates(k=1) + text), "visits")
    assert frame.select("sex", "age", "day", "amount").null_count().row(0) == (2, 1, 2, 2)
