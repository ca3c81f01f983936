"""What a run tells about its free texts: counts in the snapshot, cases in a private folder only."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from deid import engine
from deid.errors import GateFailed
from deid.texts import DOUBTS, FILE, VOICES, forget, read_cases
from tests.deid.factory import HEAD, NOW, Hospital, gates, table
from tests.deid.test_free_text import ROWS, SCAN, TABLE, notes

RECIPE = HEAD + gates(k=1, more=SCAN) + TABLE


def test_cases_hold_both_texts_and_every_span_and_are_for_their_owner_only(clinic: Hospital) -> None:
    clinic.write("notes.csv", notes([*ROWS, ROWS[0]]))
    private = clinic.root / "private"
    result = engine.run(clinic.recipe(RECIPE), clinic.source, clinic.out, clinic.keys, now=NOW, private=private)
    cases = list(read_cases(private))
    assert {case.text for case in cases} == {row[3] for row in ROWS if row[3]}
    assert {case.patient for case in cases} <= set(table(result, "notes")["patient"])
    call = next(case for case in cases if "연락 바람" in case.text)
    assert call.rows == 2
    assert call.masked == "보호자 <전화번호> 연락 바람. 혈압 130/80."
    assert [call.text[span.start : span.end] for span in call.spans if not span.doubt] == ["010-2345-6789"]
    assert all(span.doubt in {"", *DOUBTS} and span.by in VOICES for case in cases for span in case.spans)
    assert len({case.ref for case in cases}) == len(cases)
    assert stat.S_IMODE((private / "texts.jsonl").stat().st_mode) == 0o600
    assert [path.name for path in private.iterdir()] == ["texts.jsonl"]


def test_the_snapshot_holds_counts_per_type_and_column(clinic: Hospital) -> None:
    clinic.write("notes.csv", notes(ROWS))
    result = clinic.run(RECIPE)
    (report,) = json.loads((result.snapshot / "risk.json").read_text())["notes"]["texts"]
    assert (report["table"], report["column"], report["texts"]) == ("notes", "memo", 5)
    assert report["masked"]["PHONE"] == 1
    assert report["found"]["PHONE"] >= 1


def test_a_run_that_fails_leaves_no_cases(clinic: Hospital) -> None:
    clinic.write("notes.csv", notes(ROWS))
    private = clinic.root / "private"
    strict = HEAD + gates(k=1, more=", min_rows: 1000") + TABLE
    with pytest.raises(GateFailed):
        engine.run(clinic.recipe(strict), clinic.source, clinic.out, clinic.keys, now=NOW, private=private)
    assert list(private.iterdir()) == []


def test_a_forgotten_folder_holds_nothing_and_its_file_was_overwritten_first(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (private / FILE).write_text("환자 홍길동\n" * 100_000)
    (private / f"{FILE}.part").write_text("홍길동")
    other_name = tmp_path / "linked"
    other_name.hardlink_to(private / FILE)
    assert forget(private)
    assert not private.exists()
    assert set(other_name.read_bytes()) == {0}
    private.mkdir()
    (private / "mine.txt").write_text("x")
    (private / FILE).symlink_to(private / "mine.txt")
    assert not forget(private)
    assert (private / "mine.txt").read_text() == "x"
