"""Files as hospitals really send them: what is refused says why and what to do, what is planned runs as it is written.

No message and no recipe holds what stands in a first line that is a patient's.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest
from click.testing import CliRunner, Result

from deid import cli, engine, recipe
from tests.deid.factory import NOW, Hospital, table

HEAD = ["환자번호", "성명", "주민등록번호", "성별", "상병코드"]
CANARY = "독고영재"
ROWS = [
    [f"BG-{n:07d}", CANARY, f"7{n % 10}0{1 + n % 9}15-{1 + n % 2}{234567 + n}", "남여"[n % 2], ("I10", "E11")[n % 2]]
    for n in range(60)
]


def text(*lines: list[str], separator: str = ",") -> str:
    return "".join(separator.join(line) + "\n" for line in lines)


def book(fill: Callable[[openpyxl.worksheet.worksheet.Worksheet], object]) -> bytes:
    made = openpyxl.Workbook()
    fill(made.active)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def under_a_title(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    for row in (["2024년 외래 환자 명단"], ["작성: 원무과"], [], HEAD, *ROWS):
        sheet.append(row)


def under_a_merged_title(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    for row in (["2024년 외래 환자 명단"], HEAD, *ROWS):
        sheet.append(row)
    sheet.merge_cells("A1:E1")


def twice_the_same(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    for row in (["환자번호", "성별", "성별"], *([one[0], one[3], one[3]] for one in ROWS)):
        sheet.append(row)


def plan(clinic: Hospital, name: str, data: bytes) -> Result:
    path = clinic.write(name, data)
    return CliRunner().invoke(cli.deid, ["plan", str(path), "--yes", "--k", "2", "--out", str(clinic.root / "p.yaml")])


REFUSED = [
    ("a.csv", text(*ROWS).encode(), "header-data", "자료로 보입니다"),
    ("a.csv", text([*HEAD[:-1], "성명"], *ROWS).encode("cp949"), "header", "2, 5번째"),
    ("a.csv", text([*HEAD[:-1], ""], *ROWS).encode(), "header", "5번째"),
    ("a.csv", text(["환자번호", "가" * 5000], *(row[:2] for row in ROWS)).encode(), "header-long", "2번째"),
    ("a.csv", b"\n\n", "header", "머리글이 없습니다"),
    ("a.csv", ("2024년 명단\n원무과\n" + text(HEAD, *ROWS)).encode(), "title", "위의 2줄"),
    ("a.csv", text(HEAD, *ROWS).encode("utf-16"), "encoding", "UTF-16"),
    ("a.json", b"[]", "format", ".json"),
    ("a.xlsx", book(twice_the_same), "header", "2, 3번째"),
    ("a.xlsx", book(lambda sheet: [sheet.append(row) for row in ROWS]), "header-data", "자료로 보입니다"),
]


@pytest.mark.parametrize(("name", "data", "code", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_planned_says_what_is_wrong_and_where(
    clinic: Hospital, name: str, data: bytes, code: str, said: str
) -> None:
    done = plan(clinic, name, data)
    assert (done.exit_code, f"[deid.source-{code}]" in done.stderr, said in done.stderr) == (4, True, True), done.stderr
    assert (CANARY in done.output, "→" in done.stderr, (clinic.root / "p.yaml").exists()) == (False, True, False)


RUNS = [
    ("환자 목록.csv", text(HEAD, *ROWS).encode("cp949")),
    ("a.txt", text(HEAD, *ROWS, separator="\t").encode("utf-8-sig")),
    ("a.csv", text([f" {name} " for name in HEAD], *ROWS).encode()),
    ("a.csv", text(["환자번호", "yes", "null", "a: b", "# x"], *([row[0], *"1234"] for row in ROWS)).encode()),
    (
        "a.csv",
        text(["환자번호", *(f"검사_{n}" for n in range(150))], *([row[0], *["3"] * 150] for row in ROWS)).encode(),
    ),
    ("a.xlsx", book(under_a_title)),
    ("a.xlsx", book(under_a_merged_title)),
]


@pytest.mark.parametrize(("name", "data"), RUNS, ids=range(len(RUNS)))
def test_what_is_planned_runs_as_it_is_written(clinic: Hospital, name: str, data: bytes) -> None:
    done = plan(clinic, name, data)
    assert done.exit_code == 0, done.output
    made = recipe.load(clinic.root / "p.yaml")
    assert CANARY not in (clinic.root / "p.yaml").read_text(encoding="utf-8")
    result = engine.run(made, clinic.source, clinic.out, clinic.keys, now=NOW)
    (one,) = result.manifest.tables
    assert table(result, one).height > len(ROWS) // 2


def test_lists_of_people_and_hidden_files_in_a_folder_are_no_tables(clinic: Hospital) -> None:
    clinic.write("visits.csv", text(HEAD, *ROWS))
    clinic.write("withdrawn.csv", "subject,withdrawn_on\nBG-0000001,2026-11-01\n")
    clinic.write("missed.csv", f"type,value\nNAME,{CANARY}\n")
    clinic.write("~$visits.xlsx", b"open")
    clinic.write(".visits.csv", "a,a\n")
    out = clinic.root / "p.yaml"
    done = CliRunner().invoke(cli.deid, ["plan", str(clinic.source), "--yes", "--k", "2", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert [each.name for each in recipe.load(out).tables] == ["visits"]
    assert [word for word in ("withdrawals: withdrawn.csv", "missed: missed.csv") if word not in done.stderr] == []
    assert "BG-0000001" not in done.output
