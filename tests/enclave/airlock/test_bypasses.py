"""Attacks on the checks: small counts and identifiers dressed so that a rule looks past them."""

from __future__ import annotations

import json

import pytest

from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing.jobs import run
from enclave.airlock.worker import inspect

PERSON = "900101-1234567"


def look(content: str, name: str = "result.csv", **rules: int) -> FileReport:
    return inspect(content.encode(), name, CheckRules(**rules))


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


SMALL = {
    "under a title line": "Table 1 results\nregion,n\nA,3\nB,40\n",
    "under a title line with commas": "Table 1, by region\nregion,n\nA,3\nB,40\n",
    "under two lines of headings": "sex,F,M\nage,,\n20s,3,40\n30s,50,60\n",
    "before a stroke": "arm,events/total\nA,3/120\nB,40/130\n",
    "with its share in square brackets": "arm,n (%)\nA,3 [2.5%]\nB,40 [30%]\n",
    "after n=": "arm,n\nA,n = 3\nB,n = 40\n",
    "in brackets": "arm,n\nA,(3)\nB,(40)\n",
    "in quotes": "arm,n\nA,'3'\nB,'40'\n",
    "as a formula": 'arm,n\nA,"=""3"""\nB,40\n',
    "with a footnote": "arm,n\nA,3*\nB,40\n",
    "in a circle": "arm,n\nA,③\nB,40\n",
    "raised": "arm,n\nA,³\nB,40\n",
    "about": "arm,n\nA,~3\nB,40\n",
    "hidden more narrowly than the minimum": "arm,n\nA,<3\nB,40\n",
    "hidden more narrowly, in Korean": "구분,n\nA,2 이하\nB,40\n",
    "in a column of dead": "age,dead\n20s,3\n30s,44\n",
    "in a column of 환자": "구분,환자\n남,3\n여,40\n",
    "in a column of 사망자수": "구분,사망자수\n남,3\n여,40\n",
    "in a column of 응답자수": "구분,응답자수\n남,3\n여,40\n",
}


@pytest.mark.parametrize("content", SMALL.values(), ids=SMALL.keys())
def test_a_small_count_is_found(content: str) -> None:
    assert "cell.small" in rules_of(look(content))


@pytest.mark.parametrize("hidden", ["<10", "10 미만", "≤9", "9 이하"])
def test_a_count_hidden_by_the_minimum_itself_passes(hidden: str) -> None:
    assert look(f"region,n\nA,{hidden}\nB,40\n").verdict is Verdict.PASS


def test_a_count_hidden_by_a_lower_minimum_is_found() -> None:
    assert rules_of(look("region,n\nA,<10\nB,40\n", min_cell=20)) == {"cell.small"}


def test_a_small_count_in_a_short_table_of_a_report_is_found() -> None:
    assert "cell.small" in rules_of(look("# Result\n|group|n|\n|---|---|\n|A|3|\n", "result.md"))


HIDING_PLACES = {
    "beside a table": f'{{"note": "{PERSON}", "t": [{{"n": 20}}, {{"n": 30}}]}}',
    "as a key": f'{{"{PERSON}": [{{"n": 20}}, {{"n": 30}}]}}',
    "in the index of a column": f'{{"n": {{"{PERSON}": 20, "b": 30}}}}',
    "beside columns": f'{{"g": ["A", "B"], "n": [30, 40], "note": "{PERSON}"}}',
    "in a short list": f'["{PERSON}", "a"]',
    "as the whole file": f'"{PERSON}"',
    "as escapes": '{"note": "' + "".join(f"\\u{ord(c):04x}" for c in PERSON) + '", "t": [{"n": 20}]}',
}


@pytest.mark.parametrize("content", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_an_identifier_anywhere_in_json_is_found(content: str) -> None:
    assert "id.rrn" in rules_of(look(content, "result.json"))


def test_json_with_a_key_twice_is_refused_because_only_one_of_the_values_would_be_seen() -> None:
    assert rules_of(look(f'{{"n": "{PERSON}", "n": [20, 30]}}', "result.json")) == {"parse.json"}


def test_a_checker_sees_everything_in_a_json_file_and_not_its_first_table_alone() -> None:
    content = '{"a": [{"n": 20}, {"n": 30}], "b": [{"secret": 77, "n": 44}], "note": "fifty"}'
    shown = run({"do": "open", "name": "result.json", "first": 0}, content.encode())
    assert shown["kind"] == look(content, "result.json").kind == "text"
    text = json.dumps(shown["pages"]["0"]["lines"])
    assert all(word in text for word in ("20", "30", "secret", "77", "44", "fifty"))
