"""Each rule as a table: what it stops, what it points at, and what it must leave alone."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import secrets
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.detect.registry import RECOGNISERS
from enclave.airlock.checks.identifiers import LABELS, LOOK_AT
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

RULES = CheckRules(id_columns=("환자가명",), subjects=17_549)


def look(content: bytes | str, name: str = "result.csv", rules: CheckRules = RULES) -> FileReport:
    return inspect(content.encode() if isinstance(content, str) else content, name, rules)


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


GOOD_TABLES = {
    "a table of groups": "region,n,mean_age\n서울,1204,51.2\n부산,431,49.9\n",
    "with a masked cell": "region,n\n서울,120\n부산,<10\n대구,*\n",
    "with an index column": ",sex,n,mean\n0,F,100,1.5\n1,M,90,1.25\n",
    "coefficients": "term,estimate,se,p\nage,0.0312,0.0021,1.2e-05\nbmi,-0.1,0.05,0.04\n",
    "relative frequencies": "group,frequency\nA,0.25\nB,0.75\n",
    "counts with per cent": "group,n (%)\nA,120 (54.5%)\nB,100 (45.5%)\n",
    "large numbers": "year,n,total_cost\n2019,13455,81234567890\n2020,21345,91234567890\n",
    "a describe()": ",age,alt\ncount,100,100\nmean,51.2,30.1\nstd,1.2,3.3\n50%,49.0,20.0\n",
    "cross table, all large": "sex,yes,no\nF,120,340\nM,90,300\n",
    "measures of whole numbers": "region,median_age,rank\n서울,51,1\n부산,49,2\n",
    "semicolons": "region;n\nSeoul;120\nBusan;44\n",
    "age groups": "연령대,환자수\n60-64세,120\n65-69세,144\n",
    "thousands": '지역,건수\n서울,"1,204"\n부산,"12,431"\n',
}


@pytest.mark.parametrize("content", GOOD_TABLES.values(), ids=GOOD_TABLES.keys())
def test_an_honest_table_passes(content: str) -> None:
    report = look(content)
    assert report.findings == ()
    assert report.kind == "table"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    report = look("지역,환자수\n서울,120\n부산,4\n".encode(encoding))
    assert rules_of(report) == {"cell.small"}
    assert (report.rows, report.columns) == (2, 2)
    assert report.findings[0].place == "R3 C2 (환자수)"


SMALL_CELLS = {
    "a category called p": "group,p,q\nA,120,44\nB,90,3\n",
    "columns one blank apart in a text": "out\n\nregion   n mean\n Seoul 120  1.5\n Busan  44  2.5\n Daegu   4  2.0\n",
    "value_counts() in a text": "out\n\nregion\nSeoul    120\nBusan     44\nDaegu      4\nName: count, dtype: int64\n",
    "a describe() in a csv": ",age,bmi\ncount,5.0,5.0\nmean,51.2,30.1\nstd,1.2,3.3\n",
    "people at risk": "time,at_risk,survival\n0,120,1.0\n1,4,0.98\n",
    "n": "region,n\nA,120\nB,4\n",
    "N patients": "region,N_patients\nA,120\nB,9\n",
    "count in camel case": "region,patientCount\nA,120\nB,9\n",
    "건수": "지역,건수\n가,120\n나,3\n",
    "환자수": "지역,환자수(명)\n가,120\n나,3명\n",
    "with per cent": "group,n (%)\nA,120 (97.6%)\nB,3 (2.4%)\n",
    "as a float": "region,n\nA,120.0\nB,4.0\n",
    "a weighted count": "region,n\nA,120.5\nB,4.5\n",
    "a row called count": ",age,alt\ncount,100,7\nmean,51.2,30.1\n",
    "a cross table": "sex,stage1,stage2\nF,120,34\nM,90,3\n",
    "a cross table by year": "sex,2019년,2020년\nF,120,34\nM,90,3\n",
    "a cross table with two label columns": "sex,grp,yes,no\nF,a,120,34\nM,b,90,3\n",
    "a cross table with totals": "sex,yes,no,합계\nF,120,34,154\nM,90,3,93\n",
    "a total that is small": "region,total\nA,120\nB,4\n",
    "in json records": json.dumps([{"region": "A", "n": 120}, {"region": "B", "n": 4}]),
    "in json columns": json.dumps({"region": {"0": "A", "1": "B"}, "n": {"0": 120, "1": 4}}),
    "deep in json": json.dumps({"a": {"b": [[{"region": "A", "n": 120}, {"region": "B", "n": 4}]]}}),
    "in a text": "result of the day\n\nregion  n\nA  120\nB  44\nC  4\n",
    "in a printed data frame": "  region    n\n0  Seoul  120\n1  Busan   44\n2  Daegu    4\n3  Ulsan   30\n",
    "in markdown": "# r\n\n| region | n |\n|---|---|\n| A | 120 |\n| B | 44 |\n| C | 4 |\n",
}


@pytest.mark.parametrize("case", SMALL_CELLS)
def test_a_small_count_is_stopped(case: str) -> None:
    ending = "json" if "json" in case else "txt" if "text" in case or "printed" in case else "csv"
    report = look(SMALL_CELLS[case], f"result.{'md' if 'markdown' in case else ending}")
    assert "cell.small" in rules_of(report)
    assert report.verdict is Verdict.BLOCK


@given(count=st.integers(1, 10_000), limit=st.integers(5, 50))
def test_a_count_is_stopped_exactly_below_the_policy(count: int, limit: int) -> None:
    report = look(f"region,n\nA,500000\nB,{count}\n", rules=CheckRules(min_cell=limit))
    assert (report.verdict is Verdict.BLOCK) == (count < limit)


@given(value=st.integers(1, 9))
def test_a_small_count_is_never_shown_in_its_sample(value: int) -> None:
    (finding,) = look(f"region,n\nA,500\nB,{value}\n").findings
    assert str(value) not in finding.sample


RECOVERABLE = {
    "from a column's total": "region,n\nA,120\nB,<10\nC,40\n합계,164\n",
    "from a row's total": "sex,yes,no,total\nF,120,*,124\nM,90,30,120\n",
    "from the whole's gap": "region,n\nA,120\nB,*\nTotal,125\n",
    "step by step": "sex,a,b,total\nF,120,*,124\nM,*,40,46\nall,126,44,170\n",
}


@pytest.mark.parametrize("content", RECOVERABLE.values(), ids=RECOVERABLE.keys())
def test_a_hidden_cell_that_totals_give_away_is_stopped(content: str) -> None:
    assert "cell.recoverable" in rules_of(look(content))


@pytest.mark.parametrize(
    "content",
    [
        "region,n\nA,120\nB,<10\nC,*\n합계,168\n",
        "region,n\nA,120\nB,*\nC,40\n",
        "region,n\nA,120\nB,*\nC,40\n합계,400\n",
        "sex,a,b,total\nF,*,*,124\nM,*,*,46\nall,126,44,170\n",
    ],
)
def test_a_hidden_cell_that_stays_hidden_passes(content: str) -> None:
    assert rules_of(look(content)) == set()


def test_two_counts_that_leave_a_small_rest_are_pointed_at() -> None:
    assert rules_of(look("arm,n,events\nA,100,96\nB,100,40\n")) == {"cell.rest"}


def test_zero_counts_are_pointed_at() -> None:
    report = look("region,n\nA,120\nB,0\n")
    assert (rules_of(report), report.verdict) == ({"cell.zero"}, Verdict.WARN)


def rows(count: int, line: str) -> str:
    return "".join(
        line.format(i=i, j=i * 7919 % 100_003 + 100_000, h=f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}")
        for i in range(count)
    )


RECORDS = {
    "a known pseudonym column": ("환자가명,alt\n" + rows(3, "p{i},30.1\n"), "row.id-column"),
    "a patient id column": ("patient_id,alt\n" + rows(3, "{i},30.1\n"), "row.id-column"),
    "a Korean id column": ("등록번호,alt\n" + rows(3, "{j},30.1\n"), "row.id-column"),
    "hashes under a harmless name": ("x,alt\n" + rows(3, "{h},30.1\n"), "row.pseudonym"),
    "one hash in one cell": ("x,n\nfedcba9876543210,100\n", "row.pseudonym"),
    "uuids": ("x,n\n123e4567-e89b-12d3-a456-426614174000,100\n", "row.pseudonym"),
    "unique numbers": ("x,alt\n" + rows(30, "{j},30.1\n"), "row.unique-key"),
    "unique codes": ("x,alt\n" + rows(30, "K{j},30.1\n"), "row.unique-key"),
    "very many rows": ("x,n\n" + rows(1001, "g,100\n"), "row.too-many"),
    "records in json": (json.dumps([{"pid": str(i), "alt": 30} for i in range(5)]), "row.id-column"),
    "a long list in json": (json.dumps({"ages": list(range(2000))}), "row.too-many"),
}  # fmt: skip


@pytest.mark.parametrize("case", RECORDS)
def test_a_table_of_records_is_stopped(case: str) -> None:
    content, rule = RECORDS[case]
    report = look(content, "x.json" if "json" in case else "x.csv")
    assert rule in rules_of(report)
    assert report.verdict is Verdict.BLOCK


def test_records_hidden_in_a_text_are_stopped() -> None:
    text = "Our findings are as follows.\n\npid,alt\n" + rows(20, "{i},30.1\n") + "\nThank you.\n"
    assert "row.id-column" in rules_of(look(text, "report.txt"))
    columns = "notes\n\n" + rows(30, "K{j}   30.1   F\n")
    assert "row.unique-key" in rules_of(look(columns, "report.md"))


def test_a_table_with_a_row_per_subject_is_pointed_at() -> None:
    report = look("alt,n\n" + rows(60, "30.1,100\n"), rules=CheckRules(subjects=60))
    assert "row.per-subject" in rules_of(report)


def test_a_long_table_without_counts_is_pointed_at() -> None:
    report = look("age,alt\n" + rows(60, "51.5,30.1\n"))
    assert (rules_of(report), report.verdict) == ({"row.no-counts"}, Verdict.WARN)


IDENTIFIERS = {
    "a phone number": ("region,n,note\nA,120,call 010-1234-5678\n", "id.phone"),
    "in full-width digits": ("region,n,note\nA,120,０１０－１２３４－５６７８\n", "id.phone"),
    "with zero-width marks": ("region,n,note\nA,120,010\u200b-1234-\u200b5678\n", "id.phone"),
    "a resident number": ("region,n,note\nA,120,900101-1234568\n", "id.rrn"),
    "after 2020, without a valid sum": ("region,n,note\nA,120,201105-3123456\n", "id.rrn"),
    "without a dash": ("region,n,note\nA,120,9001011234568\n", "id.rrn"),
    "split over two cells": ("a,b,n\n900101,1234568,100\n201105,3123456,100\n", "id.rrn"),
    "split over three cells": ("a,b,c,n\n010,1234,5678,100\nx,y,z,100\n", "id.phone"),
    "split by a line break in a cell": ('note,n\n"010-1234\n-5678",100\n', "id.phone"),
    "an e-mail address": ("region,n,note\nA,120,kim@example.com\n", "id.email"),
    "as a column's name": ("010-1234-5678,n\nA,120\n", "id.phone"),
    "in spoken digits": ("region,n,note\nA,120,공일공 일이삼사 오육칠팔\n", "id.phone"),
}


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_an_identifier_in_a_table_is_stopped(case: str) -> None:
    content, rule = IDENTIFIERS[case]
    report = look(content)
    assert rule in rules_of(report)
    assert report.verdict is Verdict.BLOCK
    shown = report.to_json()
    assert "1234568" not in shown
    assert "5678" not in shown.replace('"5678', "")


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_an_identifier_in_a_text_is_stopped_with_its_line(encoding: str) -> None:
    report = look("요약\n\n환자 연락처 010-1234-5678\n".encode(encoding), "memo.txt")
    assert [(finding.rule, finding.place, finding.sample) for finding in report.findings] == [
        ("id.phone", "L3", "0***")
    ]


def test_an_identifier_in_the_file_name_is_stopped() -> None:
    assert "id.phone" in rules_of(look("region,n\nA,120\n", "010-1234-5678.csv"))


def test_every_kind_of_identifier_that_is_searched_for_has_a_name_in_both_languages() -> None:
    searched = {kind for recogniser in RECOGNISERS for kind in recogniser.ENTITIES}
    assert set(LABELS) == searched | {"REGION"}  # an address that is no finer than a district
    assert searched >= LOOK_AT - {"REGION"}


@pytest.mark.parametrize(
    ("text", "verdict", "rule"),
    [("F/93, 만 93세 환자였다", Verdict.WARN, "id.age90"), ("84세 남자였다", Verdict.PASS, None),
     ("여권번호 M12345678 확인", Verdict.BLOCK, "id.passport")],
)  # fmt: skip
def test_an_age_of_ninety_is_looked_at_a_younger_one_is_not(text: str, verdict: Verdict, rule: str | None) -> None:
    report = look(text + "\n", "note.txt")
    assert (report.verdict, rules_of(report) or {None}) == (verdict, {rule})


def test_an_identifier_far_down_in_a_long_text_is_found() -> None:
    text = "".join(f"문장 {number} 입니다.\n" for number in range(900)) + "010-1234-5678\n"
    (finding,) = [one for one in look(text, "long.txt").findings if one.rule == "id.phone"]
    assert finding.place == "L901"


def test_number_tables_raise_no_false_alarm() -> None:
    lines = "".join(
        f"{i},{i * 997 % 100_000},{i * 0.731:.4f},{i * 12345 % 10_000_000},{1900 + i % 120},{10**10 + i * 7919}\n"
        for i in range(1000)
    )
    report = look("row,a,b,c,year,cost\n" + lines, rules=CheckRules(max_rows=2000))
    assert [finding.rule for finding in report.findings if finding.rule.startswith("id.")] == []


def test_an_empty_or_too_long_text_is_stopped_and_never_skipped() -> None:
    assert rules_of(look("", "a.txt")) == {"parse.empty"}
    assert rules_of(look(" \n \n", "a.csv")) == {"parse.empty"}
    assert "text.too-long" in rules_of(look("word\n" * 6000, "a.txt"))
    assert "text.long-line" in rules_of(look("word " * 2000, "a.txt"))
    assert "id.too-much-text" in rules_of(look("n\n100\n", rules=CheckRules(max_scan_chars=3)))


ENCODED = {
    "base64": ("a.txt", base64.b64encode(secrets.token_bytes(3000)).decode()),
    "wrapped base64": ("a.txt", base64.encodebytes(secrets.token_bytes(3000)).decode()),
    "hex": ("a.txt", secrets.token_bytes(1500).hex()),
    "base64 in cells": (
        "a.csv",
        "x,n\n" + "".join(f"{base64.b64encode(secrets.token_bytes(45)).decode()},100\n" for _ in range(60)),
    ),
    "base64 in json": ("a.json", json.dumps({"x": base64.b64encode(secrets.token_bytes(3000)).decode()})),
}


@pytest.mark.parametrize("case", ENCODED)
def test_encoded_data_is_stopped(case: str) -> None:
    name, content = ENCODED[case]
    assert "encoded.run" in rules_of(look(content, name))


def in_lines(text: str, width: int) -> str:
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


DENSE = {
    "base85": in_lines(base64.b85encode(secrets.token_bytes(6000)).decode(), 60),
    "base64 in short pieces": in_lines(base64.b64encode(secrets.token_bytes(6000)).decode(), 39),
    "random Korean syllables": in_lines(
        "".join(chr(0xAC00 + int.from_bytes(secrets.token_bytes(2)) % 11_172) for _ in range(3000)), 40
    ),
}


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE.keys())
def test_text_as_dense_as_compressed_data_is_stopped(text: str) -> None:
    assert "encoded.dense" in rules_of(look(text, "a.txt"))


def test_a_long_table_of_precise_numbers_is_not_too_dense() -> None:
    lines = "".join(f"g{i},{100 + i * 7919 % 9999},{secrets.randbelow(10**12) / 10**12:.12f}\n" for i in range(900))
    # Pointed at (round them), but not taken for a code.
    found = {rule for rule in rules_of(look("group,n,estimate\n" + lines)) if rule.startswith("encoded")}
    assert found == {"encoded.precision"}


def test_invisible_characters_and_trailing_blanks_are_pointed_at() -> None:
    assert "encoded.invisible" in rules_of(look("a\u200bb\n", "a.txt"))
    assert "encoded.trailing" in rules_of(look("word \t\nword\t\n" * 100, "a.txt"))
    assert rules_of(look("word \n" * 100, "a.txt")) == set()
    assert look("a" + "\u200b\u200c" * 100 + "\n", "a.txt").verdict is Verdict.BLOCK


FILES = {
    "pdf": ("a.pdf", b"%PDF-1.7\n", "parse.pdf"),
    "pdf called csv": ("a.csv", b"%PDF-1.7\n", "type.mismatch"),
    "xlsx": ("a.xlsx", b"PK\x03\x04\x14\x00", "type.zip"),
    "zip called png": ("a.png", b"PK\x03\x04\x14\x00", "type.zip"),
    "gzip": ("a.csv.gz", gzip.compress(b"n\n4\n"), "type.archive"),
    "zlib": ("a.txt", zlib.compress(b"n\n4\n" * 100), "type.unknown"),
    "xls or hwp": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "type.office"),
    "pickle": ("a.pkl", pickle.dumps([1, 2]), "type.pickle"),
    "parquet": ("a.parquet", b"PAR1\x15\x04", "parse.parquet"),
    "numpy": ("a.npy", b"\x93NUMPY\x01\x00", "type.binary-table"),
    "age": ("a.txt", b"age-encryption.org/v1\n", "type.encrypted"),
    "pgp": ("a.txt", b"-----BEGIN PGP MESSAGE-----\n", "type.encrypted"),
    "svg called txt": ("a.txt", b"<!-- x --> <svg/>", "type.mismatch"),
    "html with a byte order mark": ("a.txt", b"\xef\xbb\xbf<html>", "type.mismatch"),
    "notebook called csv": ("a.csv", b'{"cells": [], "nbformat": 4}', "type.mismatch"),
    "notebook called json": ("a.json", b'{"nbformat": 4}', "type.mismatch"),
    "dicom": ("a.dcm", bytes(128) + b"DICM", "type.medical"),
    "elf": ("a.txt", b"\x7fELF", "type.program"),
    "tar": ("a.txt", bytes(257) + b"ustar", "type.archive"),
    "random": ("a.txt", bytes(range(256)), "type.unknown"),
    "nul bytes": ("a.csv", b"n\x00\n", "type.unknown"),
    "png called csv": ("a.csv", b"\x89PNG\r\n\x1a\n", "type.mismatch"),
    "csv called png": ("a.png", b"n\n100\n", "type.mismatch"),
    "no ending": ("a", b"n\n100\n", "type.ending"),
    "a script": ("a.js", b"print(1)\n", "type.ending"),
    "undecodable": ("a.csv", b"n\n\xff\xfd\xfe\n", "parse.encoding"),
    "a broken quote": ("a.csv", b'n\n"100\n', "parse.csv"),
    "broken json": ("a.json", b"{", "parse.json"),
    "deep json": ("a.json", b"[" * 100_000, "parse.json"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_of_the_wrong_kind_are_stopped_with_a_reason(case: str) -> None:
    name, content, rule = FILES[case]
    report = look(content, name)
    assert rules_of(report) == {rule}
    assert report.verdict is Verdict.BLOCK
    assert report.findings[0].ko
    assert report.findings[0].en


def test_a_table_too_wide_or_too_large_is_stopped() -> None:
    assert rules_of(look(",".join(["n"] * 600) + "\n")) == {"parse.size"}
    assert rules_of(look("n,m\n100,100\n", rules=CheckRules(max_cells=3))) == {"parse.size"}


def test_ragged_rows_are_filled_and_pointed_at_and_still_checked() -> None:
    report = look("region,n\nA,120\nB,4,900101-1234568\nC\n")
    assert {"table.ragged", "cell.small", "id.rrn"} <= rules_of(report)


def test_a_table_without_a_header_loses_no_row_to_the_header() -> None:
    report = look("1,100\n2,9001011234568\n")
    assert "table.no-header" in rules_of(report)
    assert report.rows == 2
    assert "id.rrn" in rules_of(report)


@given(
    content=st.binary(max_size=300),
    name=st.sampled_from(["a.csv", "a.tsv", "a.json", "a.txt", "a.md", "a.png", "a.jpg"]),
)
def test_no_bytes_break_the_checks(content: bytes, name: str) -> None:
    assert isinstance(look(content, name).verdict, Verdict)


@given(text=st.text(max_size=200), name=st.sampled_from(["a.csv", "a.tsv", "a.json", "a.txt", "a.md"]))
def test_no_text_breaks_the_checks_and_every_report_survives_json(text: str, name: str) -> None:
    report = look(text, name)
    assert FileReport.from_json(report.to_json()) == report
