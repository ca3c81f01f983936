"""Reports and rules survive JSON; anything a sealed process could forge in it is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.report import MAX_FINDINGS, MAX_TEXT, FileReport, Finding, Severity, Verdict
from enclave.airlock.rules import CheckRules

TEXT = st.text(max_size=50)
FINDINGS = st.builds(Finding, rule=TEXT, severity=st.sampled_from(Severity), ko=TEXT, en=TEXT, place=TEXT, sample=TEXT)
REPORTS = st.builds(
    FileReport,
    name=TEXT,
    sha256=TEXT,
    kind=TEXT,
    findings=st.lists(FINDINGS, max_size=4).map(tuple),
    rows=st.none() | st.integers(0, 10**9),
    columns=st.none() | st.integers(0, 10**9),
    sealed=st.lists(TEXT, max_size=3).map(tuple),
)
WARNING = Finding(rule="r", severity=Severity.WARN, ko="가", en="a")
BLOCKING = Finding(rule="r", severity=Severity.BLOCK, ko="가", en="a")


@given(report=REPORTS)
def test_a_report_survives_json(report: FileReport) -> None:
    assert FileReport.from_json(report.to_json()) == report


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [((), Verdict.PASS), ((WARNING,), Verdict.WARN), ((WARNING, BLOCKING), Verdict.BLOCK)],
)
def test_the_verdict_is_the_gravest_finding(findings: tuple[Finding, ...], verdict: Verdict) -> None:
    assert FileReport(name="a", sha256="0", kind="table", findings=findings).verdict is verdict


def forged(**changes: object) -> str:
    honest = json.loads(FileReport(name="a", sha256="0", kind="table", findings=(BLOCKING,)).to_json())
    return json.dumps({**honest, **changes})


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        forged(verdict="PASS"),
        forged(findings=[]),
        forged(findings=[7]),
        forged(findings=[{"rule": "r"}]),
        forged(findings=None),
        forged(rows=-1),
        forged(rows=True),
        forged(rows=1.5),
        forged(extra="field"),
        forged(name=7),
        forged(kind="k" * (MAX_TEXT + 1)),
        forged(findings=[json.loads(json.dumps({**WARNING.__dict__}))] * (MAX_FINDINGS + 1)),
    ],
)
def test_a_forged_report_is_refused(document: str) -> None:
    with pytest.raises(ValueError):
        FileReport.from_json(document)


def test_rules_survive_json() -> None:
    rules = CheckRules(min_cell=7, id_columns=("환자가명", "pid"), subjects=17_549)
    assert CheckRules.from_json(rules.to_json()) == rules


@pytest.mark.parametrize("wrong", [{"min_cell": 4}, {"max_rows": 0}, {"timeout_s": 0}, {"memory_bytes": -1}])
def test_no_policy_goes_below_the_floor(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        CheckRules(**wrong)
