"""Code may leave; data pasted into it may not."""

from __future__ import annotations

import base64
import json
import secrets

import pytest

from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

PERSON = "900101-1234567"


def look(text: str, name: str = "model.py") -> FileReport:
    return inspect(text.encode(), name, CheckRules())


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


HONEST = {
    "model.py": '"""Survival model."""\nimport pandas as pd\n\nBINS = [0, 20, 40, 60, 80, 100]\n\n\n'
                "def fit(frame, columns):\n    return frame[columns].dropna().groupby(['sex', 'age']).mean()\n",
    "tables.R": "library(dplyr)\nresult <- data %>%\n  group_by(sex) %>%\n  summarise(n = n(), mean = mean(alt))\n",
    "query.sql": "SELECT sex, count(*) AS n\nFROM visits\nWHERE age >= 20\nGROUP BY sex\nHAVING count(*) >= 10;\n",
    "run.sh": "#!/bin/sh\nset -eu\nfor year in 2015 2016 2017; do\n  python model.py --year $year\ndone\n",
    "reg.do": "use cohort, clear\nregress alt age bmi i.sex\nestimates store m1\n",
    "settings.yaml": "model:\n  alpha: 0.05\n  columns: [age, sex, bmi]\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_passes(name: str) -> None:
    report = look(HONEST[name], name)
    assert (report.findings, report.kind) == ((), "code")


NUMBERS = ", ".join(f"{i * 7919 % 997 / 10}" for i in range(200))
PASTED = {
    "a list of numbers": (f"ages = [{NUMBERS}]\n", "code.data"),
    "in R": (f"ages <- c({NUMBERS})\n", "code.data"),
    "a list over many lines": ("x = [\n" + "".join(f"    {i},\n" for i in range(200)) + "]\n", "code.data"),
    "rows as tuples": ("x = [\n" + "".join(f"    ('K{i}', {i}, 'F'),\n" for i in range(80)) + "]\n", "code.data"),
    "inserts": ("INSERT INTO t VALUES\n" + "".join(f"  ('K{i}', {i}),\n" for i in range(80)), "code.data"),
    "a shorter list": (f"x = [{', '.join(map(str, range(60)))}]\n", "code.values"),
    "a table in a string": ('x = """\nregion,n\nA,120\nB,44\nC,4\n"""\n', "cell.small"),
    "a printed series in a string": (
        'x = """\nregion\nA    120\nB     44\nC      4\nName: count, dtype: int64\n"""\n', "cell.small"),
    "a table in comments": ("# region,n\n# A,120\n# B,44\n# C,4\n", "cell.small"),
    "records in a string": ("x = '''pid,alt\n" + "".join(f"{i},30.1\n" for i in range(9)) + "'''\n", "row.id-column"),
    "an identifier in a string": (f"x = '{PERSON}'\n", "id.rrn"),
    "as escapes": ("x = '" + "".join(f"\\u{ord(c):04x}" for c in PERSON) + "'\n", "id.rrn"),
    "as octal escapes": ("x = '" + "".join(f"\\{ord(c):03o}" for c in PERSON) + "'\n", "id.rrn"),
    "an encoded payload": (f"x = '{base64.b64encode(secrets.token_bytes(3000)).decode()}'\n", "encoded.run"),
    "bytes as escapes": ("x = b'" + "".join(f"\\x{b:02x}" for b in secrets.token_bytes(4000)) + "'\n", "encoded."),
}  # fmt: skip


@pytest.mark.parametrize("case", PASTED)
def test_data_pasted_into_code_are_found(case: str) -> None:
    text, rule = PASTED[case]
    assert [each for each in rules_of(look(text)) if each.startswith(rule)]


def test_a_place_in_a_pasted_table_names_the_line_of_the_code() -> None:
    report = look('import x\n\nx = """\nregion,n\nA,120\nB,44\nC,4\n"""\n')
    assert [f.place for f in report.findings if f.rule == "cell.small"] == ["L4 R4 C2 (n)"]


def test_code_of_a_language_that_nobody_here_reads_is_refused() -> None:
    assert rules_of(look("print(1)\n", "a.exe")) == {"type.ending"}
    assert rules_of(look("print(1)\n", "a.js")) == {"type.ending"}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, json.dumps({"a": 1})[:-1]])
def test_deep_or_broken_json_is_refused(text: str) -> None:
    assert rules_of(look(text, "a.json")) == {"parse.json"}


def test_code_that_is_made_to_slow_the_search_down_is_read_all_the_same() -> None:
    for text in ('"' * 50_000, "'" + "\n" * 4_000, "1," * 30_000, "\\x4" * 20_000, "# a\n" * 4_000, "(" * 50_000):
        assert look(text).verdict in set(Verdict)
