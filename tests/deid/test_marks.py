"""What reviewers marked as missed is masked by the next run, counted, and stands in nothing that the run writes."""

from __future__ import annotations

import json

import pytest

from deid.errors import SourceError
from tests.deid.factory import HEAD, Hospital, gates, table
from tests.deid.test_free_text import TABLE

CODE, WORD = "XK-77-ZULU", "무지개다방"
MEMOS = (
    f"단골 {WORD}에서 옴",
    f"{WORD[0]} {WORD[1:]} 사장님",
    f"내부코드 {CODE.lower()} 확인",
    "무지개 다리",
    "특이 소견 없음",
)
MISSED = f"type,value\nORG,{WORD}\nMRN,{CODE}\nORG,{WORD}\n"


def run(clinic: Hospital, missed: str | None, *, known: str = "") -> tuple[list[str], dict[str, int], Hospital]:
    rows = [(f"409{n}", "", "", memo) for n, memo in enumerate(MEMOS, start=10)]
    clinic.write("notes.csv", "no,name,phone,memo\n" + "".join(",".join(row) + "\n" for row in rows))
    top = ""
    if missed is not None:
        clinic.write("missed.csv", missed)
        top = "missed: missed.csv\n"
    text = TABLE.replace("{treatment: free_text}", f"{{treatment: free_text{known}}}")
    result = clinic.run(HEAD + gates(k=1) + top + text)
    (report,) = json.loads((result.snapshot / "risk.json").read_text())["notes"]["texts"]
    seen = b"".join(path.read_bytes() for path in clinic.out.rglob("*") if path.is_file())
    for secret in (WORD, CODE):
        assert secret.encode() not in seen
    memos = table(result, "notes")["memo"].to_list()
    return memos, report["marked"], clinic


def test_the_attack_finds_them_where_nobody_marked_them(clinic: Hospital) -> None:
    memos, marked, _ = run(clinic, None)
    assert WORD in " ".join(memos)
    assert CODE.lower() in " ".join(memos)
    assert marked == {}


@pytest.mark.parametrize("known", ["", ", known: false"])
def test_the_next_run_masks_them_in_any_spelling_and_says_how_many(clinic: Hospital, known: str) -> None:
    memos, marked, made = run(clinic, MISSED, known=known)
    whole = " ".join(memos)
    assert not [left for left in (WORD, WORD[1:], CODE, CODE.lower()) if left in whole]
    assert {"무지개 다리", "특이 소견 없음"} <= set(memos)
    assert marked == {"MRN": 1, "ORG": 2}
    (manifest,) = made.out.glob("*/manifest.json")
    assert json.loads(manifest.read_text())["lineage"]["missed"] == {"file": "missed.csv", "rows": 2}
    assert "검토자 표시 덕분에" in (manifest.parent / "report.html").read_text()


@pytest.mark.parametrize(
    ("missed", "code", "line"),
    [
        ("kind,value\n", "header", 1),
        ("", "header", 1),
        ("type,value\nNOTHING,무지개\n", "mark", 2),
        ("type,value\nORG,무지개다방\nORG,무\n", "mark", 3),
        ('type,value\n"ORG,무지개다방\n', "quotes", 0),
    ],
)
def test_a_file_that_cannot_be_believed_stops_the_run_and_its_values_are_not_told(
    clinic: Hospital, missed: str, code: str, line: int
) -> None:
    with pytest.raises(SourceError) as caught:
        run(clinic, missed)
    assert (caught.value.code, caught.value.line) == (f"deid.source-missed-{code}", line)
    assert "무지개" not in caught.value.ko + caught.value.en
    assert clinic.left_behind() == []
