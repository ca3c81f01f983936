"""Loss and query error of a table without a `privacy` section: the same figures, on a sample of bounded size."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from deid.risk import utility
from tests.deid.factory import HEAD, Hospital, gates

TABLE = """\
tables:
  visits:
    file: visits.csv
    label: 방문
    subject: no
    quasi_identifiers: %s
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      sex: {treatment: keep}
      age: {treatment: generalise, type: integer, band: {width: 10, top: 80}}
      amount: {treatment: round, type: integer, to: 10}
"""
QUASI, SECTION = "[sex, age]", "[sex, age]\n    privacy: {k: 3}"


def fill(clinic: Hospital, patients: int = 400) -> None:
    random = Random(7)
    rows = [
        f"n{no},{random.choice('MF')},{int(random.triangular(20, 95))},{random.randrange(900)}\n"
        for no in range(patients)
        for _ in range(random.randint(1, 3))
    ]
    clinic.write("visits.csv", "no,sex,age,amount\n" + "".join(rows))


def risk_of(clinic: Hospital, quasi: str, version: int, k: int = 12) -> tuple[dict[str, Any], str]:
    text = HEAD.replace("version: 1", f"version: {version}") + gates(k=k, share=0.5) + TABLE % quasi
    result = clinic.run(text)
    found = json.loads((result.snapshot / "risk.json").read_text())["visits"]
    return found, (result.snapshot / "report.html").read_text(encoding="utf-8")


def test_the_figures_are_those_of_a_privacy_section_and_stand_in_the_report(clinic: Hospital) -> None:
    fill(clinic)
    plain, report = risk_of(clinic, QUASI, 1)
    asked, _ = risk_of(clinic, SECTION, 2)
    assert plain["rows_after"] < plain["rows_before"] == plain["costs"]["rows"]
    assert (plain["privacy"], asked["costs"]) == (None, None)
    assert plain["costs"]["loss"] == asked["privacy"]["loss"]
    assert plain["costs"]["query_error"] == asked["privacy"]["query_error"]
    assert plain["costs"]["loss"]["ncp"] > 0
    assert "정보 손실과 질의 오차" in report


def test_a_large_table_is_measured_on_whole_patients_of_a_sample(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(clinic, patients=1500)
    whole, _ = risk_of(clinic, QUASI, 1)
    monkeypatch.setattr(utility, "SAMPLE_ROWS", 600)
    sampled, report = risk_of(clinic, QUASI, 2)
    assert 400 < sampled["costs"]["rows"] <= 700
    assert sampled["costs"]["loss"]["ncp"] == pytest.approx(whole["costs"]["loss"]["ncp"], abs=0.05)
    assert sampled["costs"]["loss"]["aecs"] is None
    assert f"잰 행: {sampled['costs']['rows']:,}" in report


def test_without_quasi_identifiers_there_is_nothing_to_lose(clinic: Hospital) -> None:
    fill(clinic, patients=30)
    plain, report = risk_of(clinic, "[]", 1, k=1)
    assert (plain["costs"], "정보 손실과 질의 오차" in report) == (None, False)
