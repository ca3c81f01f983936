"""The checker's door: reports come from a sealed child, and everything that is no whole report is a BLOCK."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enclave.airlock.checker import check
from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing import seal
from enclave.airlock.sealing.pool import Limits, SealedPool

RULES = CheckRules()


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def liar() -> Iterator[SealedPool]:
    pool = SealedPool("lying_worker", folder=Path(__file__).parent)
    yield pool
    pool.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "stored"
    path.write_text("지역,환자수,메모\n서울,120,a\n부산,4,010-1234-5678\n")
    return path


def test_a_file_is_checked_in_a_sealed_child(pool: SealedPool, table: Path) -> None:
    report = check(table, "표 2.csv", RULES, pool=pool)
    assert {finding.rule for finding in report.findings} == {"cell.small", "id.phone"}
    assert (report.verdict, report.kind, report.rows, report.columns) == (Verdict.BLOCK, "table", 2, 3)
    assert report.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    assert report.name == "표 2.csv"
    assert set(report.sealed) >= seal.REQUIRED | {"no-capabilities"}


def test_hidden_cells_are_solved_for_in_the_sealed_child_too(pool: SealedPool, tmp_path: Path) -> None:
    # Three labels: the relaxation alone does not decide, so that branch and bound runs behind the barriers as well.
    places = [(a, b, c) for a in "xy" for b in "pqr" for c in "stu"]
    body = "".join(f"{a},{b},{c},*\n" for a, b, c in places)
    rows = "".join(f"{a},{b},total,3{number}\n" for number, (a, b) in enumerate((a, b) for a in "xy" for b in "pqr"))
    (tmp_path / "cube.csv").write_text(f"a,b,c,n\n{body}{rows}")
    (tmp_path / "line.csv").write_text("region,n\nA,121\nB,*\nC,41\ntotal,166\n")
    assert check(tmp_path / "cube.csv", "cube.csv", RULES, pool=pool).kind == "table"
    found = check(tmp_path / "line.csv", "line.csv", RULES, pool=pool).findings
    assert {finding.rule for finding in found} == {"cell.recoverable"}


def test_a_name_that_is_no_text_is_shown_escaped(pool: SealedPool, table: Path) -> None:
    report = check(table, os.fsdecode(b"a\xff.csv"), RULES, pool=pool)
    assert report.name == "a\\udcff.csv"
    assert report.kind == "table"


def test_many_files_at_once_each_get_their_own_report(pool: SealedPool, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_text(f"region,n\nA,{number + 1}\n")
    with ThreadPoolExecutor(6) as threads:
        reports = list(threads.map(lambda path: check(path, path.name, RULES, pool=pool), paths))
    assert [report.name for report in reports] == [path.name for path in paths]
    assert [report.verdict for report in reports] == [Verdict.BLOCK] * 9 + [Verdict.PASS] * 3


def test_a_job_may_read_more_files_than_one_and_no_other(liar: SealedPool, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(name)
    opened = [os.open(tmp_path / name, os.O_RDONLY) for name in ("one", "two", "three")]
    job, limits = {"name": "what is open"}, Limits(timeout_s=20, memory_bytes=1 << 30, answer_bytes=1 << 20)
    try:
        alone = liar.run(job, opened[0], limits)
        several = liar.run(job, opened[0], limits, opened[1:])
    finally:
        for descriptor in opened:
            os.close(descriptor)
    assert json.loads(alone.body) == {"3": "one"}
    assert json.loads(several.body) == {"3": "one", "5": "two", "6": "three"}


def test_a_file_over_the_limit_is_stopped_without_being_read(pool: SealedPool, tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as stream:
        stream.truncate(5 << 30)
    report = check(tmp_path / "huge.csv", "huge.csv", RULES, pool=pool)
    assert [finding.rule for finding in report.findings] == ["size.file"]


def test_one_endless_line_is_stopped(pool: SealedPool, tmp_path: Path) -> None:
    with (tmp_path / "line.csv").open("wb") as stream:
        stream.write(b"n\n" + b"1" * (80 << 20))
    report = check(tmp_path / "line.csv", "line.csv", RULES, pool=pool)
    assert report.verdict is Verdict.BLOCK


def test_a_file_that_needs_more_memory_than_allowed_is_stopped(pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("a,b\n" + "1,2\n" * 9_000_000)
    report = check(tmp_path / "cells.csv", "cells.csv", CheckRules(memory_bytes=32 << 20), pool=pool)
    assert [finding.rule for finding in report.findings] == ["check.failed"]


@pytest.mark.parametrize(
    "answer", ["nothing", "rubbish", "deep", "too much", "wrong verdict", "sleep", "exit", "an exception"]
)
def test_whatever_is_no_whole_report_stops_the_file(liar: SealedPool, table: Path, answer: str) -> None:
    report = check(table, answer, CheckRules(timeout_s=1), pool=liar)
    assert [finding.rule for finding in report.findings] == ["check.failed"]
    assert report.verdict is Verdict.BLOCK


def test_hash_name_and_barriers_are_never_taken_from_the_child(liar: SealedPool, table: Path) -> None:
    report = check(table, "honest about another file", RULES, pool=liar)
    assert report.name == "honest about another file"
    assert report.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    assert "everything" not in report.sealed


def test_a_checker_that_cannot_start_stops_every_file(table: Path) -> None:
    report = check(table, "a.csv", RULES, pool=SealedPool("no_such_worker"))
    assert [finding.rule for finding in report.findings] == ["check.failed"]


def test_a_link_is_not_followed(pool: SealedPool, tmp_path: Path, table: Path) -> None:
    (tmp_path / "link").symlink_to(table)
    with pytest.raises(OSError, match="symbolic link"):
        check(tmp_path / "link", "a.csv", RULES, pool=pool)
