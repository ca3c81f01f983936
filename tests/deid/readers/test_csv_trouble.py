"""What comes out of real systems as CSV: read right, letter for letter, or refused with line and remedy (R109)."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.errors import SourceError
from deid.readers.letters import Cp949
from tests.deid.factory import HEAD, Hospital, gates, table

TABLE = """\
tables:
  notes:
    file: notes.csv
    label: 기록
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      note: {treatment: keep}
"""
# Syllables that EUC-KR lacks and Microsoft's CP949 has; hanja; the euro and circled numbers CP949 knows.
BEYOND_EUC_KR = "똠방각하 펲시콜라 뷁 햏 믜 쓩 金哲秀 ①"


def run(clinic: Hospital, data: bytes, field: str = "") -> list[str | None]:
    clinic.write("notes.csv", data)
    text = TABLE.replace("    label", f"    {field}\n    label") if field else TABLE
    return sorted(table(clinic.run(HEAD + gates(k=1) + text), "notes")["note"], key=str)


NOTES = [
    "한글",
    BEYOND_EUC_KR,
    "줄\n바꿈",
    "줄\r\n바꿈",
    '그는 "아프다"고 함',
    '"',
    "쉼표, 둘",
    " 앞뒤 빈칸 ",
    "#메모",
    "=1+1",
    "전각　공백",
    "끝\\",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_notes_come_back_letter_for_letter(clinic: Hospital, encoding: str, end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([["no", "note"], *([f"A{n}", v] for n, v in enumerate(NOTES))])
    assert run(clinic, text.getvalue().encode(encoding), f"encoding: {encoding}") == sorted(NOTES)


@pytest.mark.parametrize(("name", "letter"), [("semicolon", ";"), ("tab", "\t"), ("bar", "|")])
def test_other_separators_are_read_when_the_recipe_says_so(clinic: Hospital, name: str, letter: str) -> None:
    data = f'no{letter}note\nA1{letter}하나, 둘\nA2{letter}"셋{letter}넷"\n'.encode()
    assert run(clinic, data, f"separator: {name}") == sorted(["하나, 둘", f"셋{letter}넷"])


def test_a_lone_carriage_return_is_part_of_the_value_as_its_writer_meant(clinic: Hospital) -> None:
    assert run(clinic, b"no,note\nA1,a\rb\nA2,c\n") == ["a\rb", "c"]


def test_an_empty_field_quoted_or_not_is_missing(clinic: Hospital) -> None:
    assert run(clinic, b'no,note\nA1,""\nA2,\n') == [None, None]


@pytest.mark.parametrize(
    ("data", "field", "code", "line"),
    [
        (b"sep=;\nno;note\nA1;x\n", "", "sep-line", 1),
        (b"no,note\rA1,x\rA2,y\r", "", "broken-return", 1),
        (b"no,note\rA1,x\rA2,y\nA3,z\n", "", "broken-return", 1),
        (b'no,"note\nA1,x\n', "", "broken-quote", 1),
        (b'no,note\nA1,5" \xeb\xb3\x91\nA2,y\n', "", "broken-quote", 2),
        (b'no,note\nA1, "x"\n', "", "broken-quote", 2),
        (b'no,note\nA1,"x" \n', "", "broken-quote", 2),
        (b'no,note\nA1,"a\nb"\nA2,x,y\n', "", "broken-fields", 4),
        (b"no,note\nA1,x\nA2\n", "", "broken-fields", 3),
        (b"no,note\nA1,x\0\n", "", "broken-nul", 2),
        (b"no,note\nA1,x\n\xef\xbb\xbfno,note\nA2,y\n", "", "broken-mark", 3),
        ("no,note\nA1,김\n".encode() + "A2,이\n".encode("cp949"), "", "encoding", 3),
        ("no,note\nA1,김씨\n".encode("cp949") + "A2,박간\n".encode(), "encoding: cp949", "mixed-encoding", 3),
        ("no,note\nA1,박간\n".encode() + "A2,김씨\n".encode("cp949"), "encoding: cp949", "mixed-encoding", 2),
        ("no,note\nA1,x\n".encode("utf-16"), "", "encoding", 1),
        (b"no,note\nA1,\x80\xff\n", "encoding: cp949", "encoding", 2),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_line(
    clinic: Hospital, data: bytes, field: str, code: str, line: int
) -> None:
    with pytest.raises(SourceError) as caught:
        run(clinic, data, field)
    assert (caught.value.code, caught.value.line) == (f"deid.source-{code}", line)
    assert caught.value.remedy_ko
    for value in ("A1", "A2", "박간", "병"):
        assert value not in caught.value.ko + caught.value.en
    assert clinic.left_behind() == []


def test_utf16_is_told_apart_from_cp949(clinic: Hospital) -> None:
    with pytest.raises(SourceError) as caught:
        run(clinic, "no,note\nA1,x\n".encode("utf-16"))
    assert "UTF-16" in caught.value.remedy_ko


@given(st.text(st.characters(codec="cp949", exclude_characters="\0"), max_size=30), st.integers(1, 9))
def test_every_text_of_cp949_is_read_back_wherever_chunks_are_cut(text: str, size: int) -> None:
    data = ("가\n" + text + "\n똠").encode("cp949")
    judge = Cp949("notes.csv")
    read = b"".join(judge.feed(data[start : start + size], 1) for start in range(0, len(data), size))
    judge.end(1)
    assert read.decode() == "가\n" + text + "\n똠"


def test_the_line_of_a_bad_value_is_right_behind_quotes_and_lone_returns(clinic: Hospital, tmp_path: Path) -> None:
    clinic.write("notes.csv", b'no,note\nA1,"1\n2\n""3"\nA2,4\r\nA3,"5\r6"\nA4,7\n')
    text = HEAD + gates(k=1) + TABLE.replace("note: {treatment: keep}", "note: {treatment: generalise, map: {}}")
    with pytest.raises(SourceError) as caught:
        clinic.run(text.replace("map: {}", r'map: {"1\n2\n\"3": a, "4": b, "5\r6": c}'))
    assert (caught.value.code, caught.value.line) == ("deid.source-value", 7)
