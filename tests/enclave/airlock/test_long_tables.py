"""Tables too long to be results: the whole verdict all the same, the same whichever way they were read."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deid.detect.scan import scan
from enclave.airlock.checks.identifiers import RESULT
from enclave.airlock.checks.long_identifiers import DIGITS_SUSPECT, ISO_DATE, PLAIN_DIGITS, SUSPECT
from enclave.airlock.parsers import long_delimited
from enclave.airlock.parsers.delimited import LONG_LINES, parse_delimited
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing.ask import Ask
from enclave.airlock.viewing.page import draw_page
from enclave.airlock.viewing.pieces import pieces
from enclave.airlock.worker import inspect

ROWS = 12_000
RULES = CheckRules(id_columns=("환자가명",), subjects=ROWS)


def look(content: str | bytes, name: str = "long.csv", rules: CheckRules = RULES) -> FileReport:
    return inspect(content if isinstance(content, bytes) else content.encode(), name, rules)


def places(report: FileReport, rule: str) -> list[str]:
    return [finding.place for finding in report.findings if finding.rule == rule]


def table(head: str, line: str, *, special: dict[int, str] | None = None) -> str:
    lines = [line.format(i=i, j=i * 7919 % 1_000_003 + 1_000_000, h=f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}")
             for i in range(ROWS)]  # fmt: skip
    for row, text in (special or {}).items():
        lines[row] = text
    return "\n".join([head, *lines]) + "\n"


PLANTED = {
    "a known pseudonym column": ("환자가명,alt", "{i},30.1", {}, "row.id-column", "C1 (환자가명)"),
    "hashes": ("x,alt", "{h},30.1", {}, "row.pseudonym", "C1 (x)"),
    "unique numbers": ("x,alt", "K{j},30.1", {}, "row.unique-key", "C1 (x)"),
    "a small count far down": ("g,n", "{i},100", {9_000: "x,3"}, "cell.small", "R9002 C2 (n)"),
    "a zero": ("g,n", "a,100", {11_999: "a,0"}, "cell.zero", "R12001 C2 (n)"),
    "a phone number far down": ("g,memo", "a,v{i}", {7_001: "a,010-1234-5678"}, "id.phone", "R7003 C2 (memo)"),
    "in full-width digits": ("g,memo", "a,v{i}", {7_001: "a,０１０－１２３４－５６７８"}, "id.phone",
                             "R7003 C2 (memo)"),
    "a resident number among numbers": ("g,x", "a,{j}", {7_001: "a,9001011234568"}, "id.rrn", "R7003 C2 (x)"),
    "an address of mail among words": ("g,x", "a,w{i}", {7_001: "a,kim@example.com"}, "id.email", "R7003 C2 (x)"),
    "a phone number among doubtful ones": (
        "g,memo", 'a,"visit no {j}, b"', {11_000: "a,010-1234-5678"}, "id.phone", "R11002 C2 (memo)"),
    "a number split over cells": ("a,b,c", "1,2,{i}", {500: "010,1234,5678"}, "id.phone", "R502 C1"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_planted_in_a_long_table_is_found_at_its_place(case: str) -> None:
    head, line, special, rule, place = PLANTED[case]
    report = look(table(head, line, special=special))
    assert place in places(report, rule)
    assert "row.too-many" in {finding.rule for finding in report.findings}
    assert (report.rows, report.kind) == (ROWS, "table")


def test_a_table_with_too_many_cells_is_stopped_even_where_the_policy_allows_its_rows() -> None:
    report = look(table("g,n", "a,100"), rules=CheckRules(max_rows=10**6, max_cells=20_000))
    assert [finding.rule for finding in report.findings] == ["parse.size"]


def test_a_row_per_subject_is_pointed_at_in_a_long_table() -> None:
    report = look(table("g,n", "a,100"), rules=CheckRules(max_rows=10**6, max_cells=20_000, subjects=ROWS))
    assert "row.per-subject" in {finding.rule for finding in report.findings}


def test_more_text_than_can_be_scanned_is_said_and_everything_else_is_found_too() -> None:
    text = table(
        "메모,n", "상세 불명의 소견 {i} 관찰되었으며 이후 경과는 양호한 편으로 기록하였다,100", special={5: "x,3"}
    )
    report = look(text, rules=CheckRules(max_scan_chars=20_000))
    assert {"id.too-much-text", "row.too-many", "cell.small"} <= {finding.rule for finding in report.findings}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_a_long_table_is_read_in_every_usual_encoding(encoding: str) -> None:
    report = look(table("지역,건수", "서울,100", special={20: "부산,3"}).encode(encoding))
    assert places(report, "cell.small") == ["R22 C2 (건수)"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_both_readers_read_the_same_table(ending: str, quoted: bool) -> None:
    cell = '"a b"' if quoted else "a b"
    text = ending.join(["x,n", *[f"{cell},{i}" for i in range(LONG_LINES + 5)]])
    (found,) = parse_delimited(text.encode(), "a.csv", RULES).long_tables
    assert (found.columns, found.length) == (("x", "n"), LONG_LINES + 5)
    assert found.head(2).rows == (("a b", "0"), ("a b", "1"))
    assert found.body[1].cell(LONG_LINES + 4) == str(LONG_LINES + 4)


CELLS = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=("Cs",)), max_size=6)


def both_ways(text: str) -> tuple[object, object]:
    """Read a text by its marks, in pieces of three bytes, and by the standard reader; None for one that declines."""
    found: list[object] = []
    for reader in (long_delimited._by_marks, long_delimited._by_rows):
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(long_delimited, "PIECE", 3)
                table, notes = reader(text.strip("\r\n").encode(), ",", RULES)
            found.append((table.columns, table.head(99).rows, notes))
        except (long_delimited._Other, ParseRefused):
            found.append(None)
    return found[0], found[1]


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=2, max_size=9), end=st.sampled_from(["\n", "\r\n"])
)
@settings(max_examples=300)
def test_the_quick_reader_reads_what_the_standard_one_reads(rows: list[list[str]], end: str) -> None:
    rows = [[f"c{index}" for index in range(len(rows[0]))], *(row for row in rows if len(row) == len(rows[0]))]
    quick, standard = both_ways(end.join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows))
    assert quick == standard is not None


@given(text=st.text(st.sampled_from('",\na 1'), min_size=1, max_size=24))
@settings(max_examples=1500)
def test_the_quick_reader_never_reads_another_table_than_the_standard_one(text: str) -> None:
    if text.strip("\r\n"):
        quick, standard = both_ways(text)
        assert quick in (None, standard)


def test_ragged_and_headless_long_tables_are_pointed_at_and_still_checked() -> None:
    report = look("g,n\n" + "a,100\n" * ROWS + "b,3,900101-1234568\n")
    assert {"table.ragged", "cell.small", "id.rrn"} <= {finding.rule for finding in report.findings}
    report = look("1,2\n" * ROWS)
    assert "table.no-header" in {finding.rule for finding in report.findings}
    assert report.rows == ROWS


BROKEN = {
    "one endless line": (b"n\n" + b"1" * (9 << 20), "parse.long-line"),
    "one endless field": (b'n\n"' + b"1\n" * (5 << 20), "parse.csv"),
    "a broken quote far down": (b"n,m\n" + b"1,2\n" * ROWS + b'"1,2\n', "parse.csv"),
    "two encodings": ("지역,n\n".encode("cp949") + "서울,1\n".encode() * ROWS + b"\xff\xfe", "parse.encoding"),
    "nul bytes": (b"n,m\n" + b"1,2\n" * ROWS + b"\x00", "type.unknown"),
    "nothing but lines": (b"\n" * ROWS, "parse.empty"),
    "too many columns": (b",".join([b"n"] * 600) + b"\n" * ROWS + b"1", "parse.size"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_long_table_that_cannot_be_read_is_stopped_with_a_reason(case: str) -> None:
    content, rule = BROKEN[case]
    assert {finding.rule for finding in look(content).findings} == {rule}


def test_encoded_data_in_a_long_table_are_found_with_their_line() -> None:
    noise = random.Random(1).randbytes(3000).hex()
    report = look("g,x\n" + "a,b\n" * ROWS + f"a,{noise}\n" + "a,b\n" * 9)
    assert places(report, "encoded.run") == [f"L{ROWS + 2}"]


IDENTIFIERS = [
    "900101-1234568", "201105-3123456", "9001011234568", "900101 1234568", "010-1234-5678", "01012345678",
    "010 1234 5678", "02-123-4567", "+82-10-1234-5678", "kim@example.com", "kim (at) example.com", "https://a.example/x",
    "www.example.com", "example.co.kr", "192.168.10.20", "fe80:0:0:0:1:2:3:4", "00:1A:2B:3C:4D:5E",
    "4111 1111 1111 1111", "4111111111111111", "123-45-67890", "M12345678", "Kim, Min Su", "KIM MINSU", "Hong Gil-Dong",
    "홍길동 환자", "서울특별시 종로구 세종대로 1", "2019-01-02 kim", "2019.1.2", "1/2/2019", "12가3456",
    "A12-345678", "S20-12345", "91세", "F/91", "91 years old", "Seoul National University Hospital", "A1234567 12",
    "110-123-456789", "11-19-123456-12",
]  # fmt: skip


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_the_sieve_before_the_recognisers_lets_every_identifier_through(text: str) -> None:
    sieved = not (RESULT.fullmatch(text) or ISO_DATE.fullmatch(text)) and (
        DIGITS_SUSPECT.fullmatch(text) if PLAIN_DIGITS.fullmatch(text) else SUSPECT.search(text)
    )
    assert sieved or not scan(text)


def test_a_long_table_is_one_piece_of_which_all_rows_can_be_shown() -> None:
    (piece,), left_out = pieces(parse_delimited(table("g,n", "a,100").encode(), "a.csv", RULES), "a.csv")
    assert (piece.kind, piece.units, left_out) == ("table", ROWS, 0)
    last = draw_page(piece, Ask(start=ROWS - 1))
    assert (last["matching"], last["numbers"], last["rows"]) == (ROWS, [ROWS - 1], [["a", "100"]])


def test_a_refusal_names_no_content() -> None:
    with pytest.raises(ParseRefused) as refused:
        parse_delimited(b'secret,n\n"secret' * 20_000, "a.csv", RULES)
    assert "secret" not in refused.value.ko + refused.value.en


def test_the_verdict_of_a_long_table_is_never_less_than_stop() -> None:
    assert look(table("g,mean", "a,1.5")).verdict is Verdict.BLOCK
