"""Parquet: flat tables are checked like any other; nested ones, added metadata and bombs are not let by."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from enclave.airlock.checker import check
from enclave.airlock.parse import parse
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import SealedPool
from enclave.airlock.worker import inspect

RULES = CheckRules()
PERSON = "900101-1234567"
RESULTS = {"region": ["A", "B", "C"], "n": [120, 44, 30], "mean": [1.5, 2.25, None]}


def written(columns: object = RESULTS, **options: object) -> bytes:
    out = io.BytesIO()
    parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **options)
    return out.getvalue()


def look(content: bytes, rules: CheckRules = RULES) -> FileReport:
    return inspect(content, "result.parquet", rules)


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_a_table_of_results_passes_whoever_wrote_it() -> None:
    of_pandas, of_polars = io.BytesIO(), io.BytesIO()
    pd.DataFrame(RESULTS).to_parquet(of_pandas)
    pl.DataFrame(RESULTS).write_parquet(of_polars)
    for content in (written(), of_pandas.getvalue(), of_polars.getvalue()):
        report = look(content)
        assert (report.findings, report.kind, report.rows, report.columns) == ((), "table", 3, 3)


def test_values_are_read_as_a_person_would_write_them() -> None:
    table = pa.table({"날짜": [date(2020, 3, 1)], "값": [1.25], "참": [True], "없음": pa.array([None], pa.int64()),
                      "범주": pa.array(["x"]).dictionary_encode()})  # fmt: skip
    (found,) = parse(written(table), "a.parquet", RULES).tables
    assert (found.columns, found.rows) == (
        ("날짜", "값", "참", "없음", "범주"),
        (("2020-03-01", "1.25", "true", "", "x"),),
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_small_counts_in_any_row_group_are_found(groups: int) -> None:
    report = look(written({"region": ["A", "B", "C"], "n": [120, 44, 4]}, row_group_size=3 // groups))
    assert [(f.rule, f.place) for f in report.findings] == [("cell.small", "R4 C2 (n)")]


def test_a_long_table_gets_its_whole_verdict() -> None:
    count = 30_000
    memo = ["v"] * count
    memo[29_000] = "010-1234-5678"
    content = written({"patient_id": list(range(count)), "memo": memo}, row_group_size=7_000)
    report = look(content)
    assert {"row.too-many", "row.id-column", "id.phone"} <= rules_of(report)
    assert "R29002 C2 (memo)" in [f.place for f in report.findings]
    assert (report.rows, report.columns) == (count, 2)


STOPPED = {
    "lists": (written({"a": [[1, 2]]}), "parse.nested"),
    "structures": (written({"a": [{"b": 1}]}), "parse.nested"),
    "binary": (written({"a": [b"abc"]}), "parse.nested"),
    "a column as person": (written({"x": [PERSON]}), "id.rrn"),
    "a column's name": (written({PERSON: [100]}), "id.rrn"),
    "metadata": (written(pa.table(RESULTS).replace_schema_metadata({"note": PERSON})), "id.rrn"),
    "metadata of a column": (
        written(pa.table([pa.array([100])], pa.schema([pa.field("n", pa.int64(), metadata={"x": PERSON})]))), "id.rrn"),
    "much metadata": (written(pa.table(RESULTS).replace_schema_metadata({"x": "y" * 99_000})), "parquet.metadata"),
    "cut off": (written()[:-20], "parse.parquet"),
    "only its beginning": (b"PAR1\x15\x04", "parse.parquet"),
    "encrypted": (b"PARE" + written()[4:], "type.encrypted"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPPED)
def test_what_must_not_leave_in_parquet_is_stopped(case: str) -> None:
    content, rule = STOPPED[case]
    report = look(content)
    assert rule in rules_of(report)
    assert report.verdict is Verdict.BLOCK
    assert PERSON not in report.to_json()


def unused(*values: str) -> bytes:
    region = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0], pa.int32()), pa.array(["A", *values]))
    return written(pa.table({"region": region, "n": [120, 44, 30]}))


def forged_bound() -> bytes:
    content = written(pa.table({"g": ["A" * 14, "B" * 14], "n": [120, 44]}), use_dictionary=False, compression="none")
    at = content.rindex(b"B" * 14)  # in the footer: what is said to be the greatest value
    return content[:at] + PERSON.encode() + content[at + 14 :]


@pytest.mark.parametrize("content", [unused(PERSON), forged_bound()], ids=["categories", "statistics"])
def test_a_value_that_no_row_has_is_found(content: bytes) -> None:
    assert rules_of(look(content)) == {"id.rrn", "parquet.unused"}


def test_unused_categories_are_looked_at_and_many_of_them_are_stopped() -> None:
    assert look(unused("B", "C")).verdict is Verdict.WARN
    assert look(unused(*(f"k{number}" for number in range(60)))).verdict is Verdict.BLOCK


def test_a_column_larger_than_its_values_is_stopped() -> None:
    content = written({"n": [120, 44, 30] * 10}, use_dictionary=False, compression="none")
    (column,) = (parquet.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0),)
    size, tail = int.from_bytes(content[-8:-4], "little"), b"secret" * 600

    def said(number: int) -> bytes:  # a field of Thrift's compact protocol: i64 in zigzag and two groups of seven bits
        return b"\x16" + bytes([(2 * number) & 0x7F | 0x80, (2 * number) >> 7])

    before = column.total_compressed_size
    footer = content[-8 - size : -8].replace(said(before), said(before + len(tail)))
    forged = content[: -8 - size] + tail + footer + content[-8:]
    assert parquet.ParquetFile(io.BytesIO(forged)).metadata.row_group(0).column(0).total_compressed_size > 3600
    assert "parquet.gap" in rules_of(look(forged))


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("rows", [1, 3, 400])
def test_honest_columns_of_every_kind_leave_nothing_unexplained(rows: int, compression: str) -> None:
    frame = pd.DataFrame({
        "text": [f"group {number}" * 20 for number in range(rows)], "whole": [7919 * number for number in range(rows)],
        "part": [1 / (number + 1) for number in range(rows)], "truth": [number % 2 == 0 for number in range(rows)],
        "day": pd.date_range("2020-01-01", periods=rows),
    })  # fmt: skip
    of_pandas, of_polars = io.BytesIO(), io.BytesIO()
    frame.to_parquet(of_pandas, compression=None if compression == "none" else compression)
    packing = "uncompressed" if compression == "none" else compression
    pl.from_pandas(frame).write_parquet(of_polars, compression=packing)
    for content in (of_pandas.getvalue(), of_polars.getvalue()):
        assert [rule for rule in rules_of(look(content)) if rule.startswith(("parquet", "parse"))] == []


def test_metadata_that_was_added_is_pointed_at() -> None:
    content = written(pa.table(RESULTS).replace_schema_metadata({"note": "from the clinic"}))
    assert rules_of(look(content)) == {"parquet.properties"}


def test_bytes_between_the_columns_are_found() -> None:
    content = written()
    size = int.from_bytes(content[-8:-4], "little")
    report = look(content[: -8 - size] + b"secret" * 50 + content[-8 - size :])
    assert "parquet.gap" in rules_of(report)


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


def test_parquet_is_read_in_the_sealed_child_without_a_thread(pool: SealedPool, tmp_path: Path) -> None:
    for count in (3, 40_000):
        path = tmp_path / f"{count}.parquet"
        path.write_bytes(written({"g": ["a"] * count, "n": [4] * count}))
        assert {f.rule for f in check(path, path.name, RULES, pool=pool).findings} >= {"cell.small"}


def test_a_small_file_that_says_the_same_a_billion_times_is_no_bomb(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000_000, pa.int32()), pa.array(["x" * 1_000]))
    path.write_bytes(written(pa.table({"a": values}), compression="zstd"))
    assert path.stat().st_size < 2_000_000
    report = check(path, path.name, RULES, pool=pool)
    assert report.verdict is Verdict.BLOCK
    wide = tmp_path / "wide.parquet"
    wide.write_bytes(written({f"c{i}": pa.array([0] * 200_000, pa.int8()) for i in range(400)}, compression="zstd"))
    assert {f.rule for f in check(wide, wide.name, RULES, pool=pool).findings} == {"parse.size"}
