"""Free text through the Korean recognisers, on real runs: what is masked, what the gate catches, and both together."""

from __future__ import annotations

import pytest

from deid.errors import GateFailed
from tests.deid.factory import HEAD, Hospital, gates, table

SCAN = ", no_direct_identifier_left: {sample: 50, min_score: 0.6}"
TABLE = """\
tables:
  notes:
    file: notes.csv
    label: {ko: 기록, en: Notes}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      name: {treatment: drop, direct: true, label: {ko: 이름, en: Name}}
      phone: {treatment: drop, direct: true, label: {ko: 전화번호, en: Telephone}}
      memo: {treatment: free_text}
"""
ROWS = [
    ("40912", "김민준", "010-2345-6789", "보호자 010-2345-6789 연락 바람. 혈압 130/80."),
    ("40913", "박서연", "010-9876-5432", "박서연 환자 혈당 조절 잘 됨"),
    ("40914", "강한결", "010-1111-2222", "식사 조절 강한결 다음 방문 예약"),
    ("40915", "이서", "010-3333-4444", "40915 번 검사 결과 정상"),
    ("40916", "최유진", "", ""),
    ("40917", "", "", "특이 소견 없음"),
]


def notes(rows: list[tuple[str, str, str, str]]) -> str:
    return "no,name,phone,memo\n" + "".join(",".join(row) + "\n" for row in rows)


@pytest.fixture
def written(clinic: Hospital) -> list[str | None]:
    clinic.write("notes.csv", notes(ROWS))
    return table(clinic.run(HEAD + gates(k=1, more=SCAN) + TABLE), "notes")["memo"].to_list()


def test_no_identifier_of_any_row_is_left_in_any_text(written: list[str | None]) -> None:
    whole = " ".join(filter(None, written))
    for number, name, phone, _ in ROWS:
        for value in (number, name, phone):
            assert not value or value not in whole


def test_what_names_nobody_stays_and_what_did_is_marked(written: list[str | None]) -> None:
    texts = set(written)
    assert "특이 소견 없음" in texts
    assert None in texts
    assert any("<전화번호>" in text and "130/80" in text for text in texts if text)
    assert any("혈당 조절 잘 됨" in text and "<이름>" in text for text in texts if text)


def test_a_name_that_no_recogniser_knows_is_masked_because_the_table_knows_it(written: list[str | None]) -> None:
    # 한결 is an ordinary word; only the row says that here it is a name.
    assert "식사 조절 <이름> 다음 방문 예약" in written


def test_an_identifier_in_a_kept_column_fails_the_gate_by_column_and_rows(clinic: Hospital) -> None:
    clinic.write("notes.csv", notes([*ROWS, ("40918", "", "", "연락처 010-2345-6789")]))
    with pytest.raises(GateFailed) as caught:
        clinic.run(HEAD + gates(k=1, more=SCAN) + TABLE.replace("free_text", "keep"))
    error = caught.value
    assert (error.gate, error.table, error.column) == ("no_direct_identifier_left", "notes", "memo")
    assert error.rows >= 3
    assert "PHONE" in error.en
    assert "010" not in str(error) + error.en
    assert clinic.left_behind() == []


def test_the_gate_looks_at_the_rows_own_values_behind_the_masking(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Were the masking of own values to be forgotten, the gate must still see them.
    from deid.transform import columns

    monkeypatch.setattr(columns, "without_own_values", lambda text, _: text)
    clinic.write("notes.csv", notes(ROWS))
    unknown = TABLE.replace("memo: {treatment: free_text}", "memo: {treatment: free_text, known: false}")
    with pytest.raises(GateFailed) as caught:
        clinic.run(HEAD + gates(k=1, more=SCAN) + unknown)
    assert (caught.value.gate, caught.value.column) == ("no_direct_identifier_left", "memo")


def test_more_distinct_texts_than_the_limit_are_refused(clinic: Hospital) -> None:
    clinic.write("notes.csv", notes(ROWS))
    from deid.errors import SourceError

    with pytest.raises(SourceError) as caught:
        clinic.run(HEAD + gates(k=1) + TABLE + "limits: {distinct_texts: 3}\n")
    assert caught.value.code == "deid.source-texts"


def test_a_placeholder_is_no_label_before_a_name() -> None:
    from deid.detect.operators.placeholder import blanked
    from deid.detect.scan import scan

    masked = "<이름> 님 보호자 연락처 <전화번호:3f9a>, 3개월 뒤 다시 <이름>로 함"
    assert len(blanked(masked)) == len(masked)
    assert scan(blanked(masked)) == []
    assert [found.type for found in scan(blanked("<이름> 님, 주치의: 김철수"))] == ["NAME"]
