"""What counts as reproduced: the same bytes, numbers, or look; everything else is a difference and shown as one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from enclave.airlock.report import FileReport, Finding, Severity, Status
from enclave.airlock.rerun.door import compare
from enclave.airlock.rerun.same import Same, same
from enclave.airlock.rerun.wording import Seen, told, without_rerun
from enclave.airlock.rules import CheckRules

RULES = CheckRules()
TABLE = "지역,n,평균\n서울,120,3.1415926535\n부산,45,2.5\n"


def drawing(shift: int = 0, kind: str = "PNG", height: int = 40) -> bytes:
    picture = Image.new("RGB", (200, 120), "white")
    pen = ImageDraw.Draw(picture)
    for at, value in enumerate((height, 80, 30, 60)):
        pen.rectangle((20 + at * 45 + shift, 110 - value, 50 + at * 45 + shift, 110), fill="navy")
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "one", "two", "how"),
    [
        ("a.csv", TABLE.encode(), TABLE.encode(), "bytes"),
        ("a.csv", TABLE.encode(), TABLE.replace("6535", "6530").encode(), "numbers"),
        ("a.csv", TABLE.encode(), TABLE.encode("cp949"), "numbers"),
        ("a.csv", TABLE.encode(), TABLE.replace("120", "121").encode(), ""),
        ("a.csv", TABLE.encode(), TABLE.replace("서울", "광주").encode(), ""),
        ("a.csv", TABLE.encode(), (TABLE + "대구,11,1\n").encode(), ""),
        ("a.csv", TABLE.encode(), b"", ""),
        ("a.txt", b"1.0000000001, 2026-01-02 03:04:05, 1.2 s\n", b"1.0, 2026-01-02 04:04:05, 9.9 s\n", "numbers"),
        ("a.txt", "평균 1.0\n".encode(), "평균 1.1\n".encode(), ""),
        ("a.png", drawing(), drawing(), "bytes"),
        ("a.png", drawing(), drawing(height=41), "picture"),
        ("a.png", drawing(), drawing(shift=30, height=100), ""),
    ],
)  # fmt: skip
def test_two_files_are_compared_as_what_they_are(name: str, one: bytes, two: bytes, how: str) -> None:
    found = same(one, two, name, RULES)
    assert found.how == how, found.rows
    assert bool(found.rows) == (not how)


def test_the_comparison_is_made_in_a_sealed_child_and_a_bomb_is_a_difference(tmp_path: Path) -> None:
    one, two, bomb = tmp_path / "one", tmp_path / "two", tmp_path / "bomb"
    one.write_text(TABLE)
    two.write_text(TABLE.replace("6535", "6530"))
    bomb.write_bytes(b"[" * 5_000_000)
    assert compare(one, two, "a.csv", RULES).how == "numbers"
    assert compare(one, bomb, "a.json", RULES).how == ""


@pytest.mark.parametrize(
    ("seen", "why", "rules", "status"),
    [
        (Seen(Same("bytes")), "", [], Status.MATCH),
        (Seen(Same("", (("L1", "1", "2"),))), "", ["rerun.different"], Status.MISMATCH),
        (Seen(Same(""), unstable=True), "", ["rerun.different", "rerun.unstable"], Status.MISMATCH),
        (Seen(Same("bytes"), stored=True), "", ["rerun.stored"], Status.MISMATCH),
        (Seen(None), "", ["rerun.missing"], Status.NONE),
        (Seen(None), "time", ["rerun.failed"], Status.NONE),
    ],
)
def test_what_is_said_of_a_file(seen: Seen, why: str, rules: list[str], status: Status) -> None:
    findings, evidence = told("run.py", seen, exit_code=0, why=why, blocks=False)
    assert ([each.rule for each in findings], evidence.status) == (rules, status)
    assert {each.severity for each in findings} <= {Severity.WARN}
    assert {each.severity for each in told("run.py", seen, exit_code=0, why=why, blocks=True)[0]} <= {Severity.BLOCK}


def test_a_report_that_is_carried_over_forgets_what_an_earlier_run_showed() -> None:
    findings, evidence = told("run.py", Seen(None), exit_code=0, why="", blocks=True)
    kept = Finding(rule="cell.small", severity=Severity.BLOCK, ko="작음", en="small")
    report = FileReport(name="a", sha256="0", kind="table", findings=(*findings, kept), evidence=(evidence,))
    left = without_rerun(report)
    assert (left.findings, left.evidence) == ((kept,), ())
