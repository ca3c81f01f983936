"""What counts as reproduced: the same bytes, numbers, or look; everything else is a difference and shown as one."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from enclave.airlock.report import FileReport, Finding, Severity, Status
from enclave.airlock.rerun.door import compare
from enclave.airlock.rerun.same import PICTURE, Same, same
from enclave.airlock.rerun.wording import Seen, told, without_rerun
from enclave.airlock.rules import CheckRules

RULES = CheckRules()
TABLE = "지역,n,평균\n서울,120,3.1415926535\n부산,45,2.5\n"


def drawing(shift: int = 0, kind: str = "PNG", height: int = 40, quality: int = 95) -> bytes:
    picture = Image.new("RGB", (200, 120), "white")
    pen = ImageDraw.Draw(picture)
    for at, value in enumerate((height, 80, 30, 60)):
        pen.rectangle((20 + at * 45 + shift, 110 - value, 50 + at * 45 + shift, 110), fill="navy")
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
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
        ("a.jpg", drawing(kind="JPEG"), drawing(kind="JPEG", quality=80), "picture"),
        ("a.png", drawing(), drawing(height=41), ""),
        ("a.png", drawing(), drawing(shift=30, height=100), ""),
    ],
)  # fmt: skip
def test_two_files_are_compared_as_what_they_are(name: str, one: bytes, two: bytes, how: str) -> None:
    found = same(one, two, name, RULES)
    assert found.how == how, found.rows
    assert bool(found.rows) == (not how)


CHANGED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a bar a thirtieth higher": {"bar": 31},
    "a bar a hundredth higher": {"bar": 30.3},
    "a bar of twice the height": {"bar": 60},
    "a telephone number in a corner": {"note": "010-1234-5678"},
    "a count in a corner": {"note": "n = 3"},
    "thinner bars": {"width": 0.7},
}


@cache
def figures() -> dict[str, bytes]:
    """Figures as scientists draw them, in a process of its own as their code would be run."""
    code = f"""
import base64, io, json, matplotlib; matplotlib.use('Agg')
import matplotlib.pyplot as plt
def draw(bar=30, note='', width=0.8):
    figure, axes = plt.subplots()
    axes.bar(['20s', '30s', '40s', '50s'], [10, 20, bar, 25], width=width)
    axes.set_title('HDL by age')
    axes.text(0.02, 0.02, note, transform=figure.transFigure, fontsize=6)
    out = io.BytesIO(); figure.savefig(out, format='png', metadata={{'Software': None}})
    return base64.b64encode(out.getvalue()).decode()
print(json.dumps({{name: draw(**how) for name, how in {CHANGED!r}.items()}}))"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return {name: base64.b64decode(text) for name, text in json.loads(done.stdout).items()}


@pytest.mark.parametrize("changed", list(CHANGED)[1:])
def test_a_real_figure_with_one_thing_changed_is_not_reproduced(changed: str) -> None:
    """A bar a hundredth higher, a number in a corner: a perceptual hash of the whole alone would let them pass."""
    found = same(figures()["as it is"], figures()[changed], "figure.png", RULES)
    assert found.how == ""
    [(_, what, _)] = found.rows
    assert what == PICTURE
    evidence = told("plot.py", Seen(found), exit_code=0, why="", blocks=True)[1]
    assert "그림이 다름: 지각 해시 " in evidence.rows[-1][1]


def test_a_real_figure_saved_anew_is_reproduced() -> None:
    first = figures()["as it is"]
    with Image.open(io.BytesIO(first)) as picture:
        out = io.BytesIO()
        picture.save(out, "PNG", compress_level=1)
    assert out.getvalue() != first
    assert same(first, out.getvalue(), "figure.png", RULES).how == "picture"


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
