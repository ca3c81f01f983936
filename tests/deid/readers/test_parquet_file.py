"""Parquet sources: dictionaries leave nothing behind, what cannot be read is refused by name, large files stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deid.errors import DeidError, SourceError
from deid.many.spool import spooled
from deid.readers.parquet_codes import few_texts
from deid.readers.parquet_weight import weight
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, table
from tests.deid.test_canary import CANARY, decompressed_pages

TEXT = HEAD + gates(k=2) + PEOPLE.replace("visits.csv", "visits.parquet")
PEOPLE_ROWS = {
    "no": [f"n{n}" for n in range(40)],
    "name": ["김철수"] * 40,
    "sex": ["M"] * 20 + ["F"] * 19 + [CANARY],
    "age": [30] * 40,
    "day": ["2020-01-01"] * 40,
    "amount": list(range(40)),
}


def write(clinic: Hospital, **changed: object) -> Path:
    path = clinic.source / "visits.parquet"
    pq.write_table(pa.table({**PEOPLE_ROWS, **changed}), path, row_group_size=10)
    return path


def refused(clinic: Hospital, text: str = TEXT) -> DeidError:
    with pytest.raises(DeidError) as caught:
        clinic.run(text)
    assert clinic.left_behind() == []
    for value in ("김철수", "n39", CANARY):
        assert value not in str(caught.value) + caught.value.en
    return caught.value


def test_a_category_that_was_suppressed_is_in_no_byte_of_the_snapshot(clinic: Hospital) -> None:
    write(clinic, sex=pa.array(PEOPLE_ROWS["sex"]).dictionary_encode())
    assert CANARY.encode() in decompressed_source(clinic), "the canary must be in the source to mean anything"
    result = clinic.run(TEXT)
    assert table(result, "visits").height == 39
    for path in result.snapshot.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes()
    files = [result.snapshot / name for name in result.manifest.tables["visits"].files]
    assert CANARY.encode() not in b"".join(map(decompressed_pages, files))


def decompressed_source(clinic: Hospital) -> bytes:
    copy = clinic.root / "plain.parquet"
    pq.write_table(pq.read_table(clinic.source / "visits.parquet"), copy, compression="none")
    return copy.read_bytes()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": pa.array([["a"]] * 40)}, None),  # dropped anyway
        ({"amount": pa.array([[1]] * 40)}, "column-type"),
        ({"amount": pa.array([{"a": 1}] * 40)}, "column-type"),
        ({"amount": pa.array([b"1"] * 40)}, "column-type"),
        ({"day": pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * 40)}, "time-zone"),
        ({"extra": pa.array([1] * 40)}, "untreated-column"),
        ({"__index_level_0__": pa.array([1] * 40)}, "untreated-column"),
    ],
)
def test_a_column_that_no_field_can_hold_is_named(clinic: Hospital, changed: dict[str, pa.Array], code: str) -> None:
    write(clinic, **changed)
    if code is None:
        clinic.run(TEXT.replace("k: 2", "k: 1"))
        return
    error = refused(clinic)
    assert error.code == f"deid.source-{code}"
    assert next(iter(changed)) in error.ko
    assert error.remedy_ko


def test_a_bad_value_is_shown_by_its_row(clinic: Hospital) -> None:
    write(clinic, day=["2020-01-01"] * 25 + ["2020-02-31"] + ["2020-01-01"] * 14)
    error = refused(clinic)
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == ("deid.source-value", 26)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    middle = data.index(b"PAR1") + 60
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 200]) + data[middle + 200 :]


def sealed(data: bytes) -> bytes:
    return data[:-4] + b"PARE"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (cut, "broken-parquet"),
        (flipped, "broken-parquet"),
        (sealed, "encrypted"),
        (lambda _: b"", "empty"),
        (lambda _: b"no,name\n1,2\n", "broken-parquet"),
    ],
    ids=["cut", "flipped", "sealed", "empty", "not parquet"],
)
def test_a_damaged_file_is_refused_before_anything_is_treated(
    clinic: Hospital, damage: Callable[[bytes], bytes], code: str
) -> None:
    path = write(clinic)
    path.write_bytes(damage(path.read_bytes()))
    assert refused(clinic).code == f"deid.source-{code}"


def test_no_rows_and_too_many_rows_are_refused(clinic: Hospital) -> None:
    write(clinic)
    assert refused(clinic, TEXT + "limits: {rows: 39}\n").code == "deid.source-rows"
    pq.write_table(pa.table(PEOPLE_ROWS).slice(0, 0), clinic.source / "visits.parquet")
    assert refused(clinic).code == "deid.source-empty"


def test_a_link_is_no_source(clinic: Hospital, tmp_path: Path) -> None:
    write(clinic).rename(tmp_path / "elsewhere.parquet")
    (clinic.source / "visits.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    assert refused(clinic).code == "deid.source-missing"


def test_a_table_of_many_row_groups_streams_to_the_same_snapshot_as_a_kept_one(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 300_000
    frame = pl.select(n=pl.int_range(rows)).select(
        no=pl.format("n{}", pl.col("n") % 5000),
        name=pl.lit("x"),
        sex=pl.when(pl.col("n") % 2 == 0).then(pl.lit("M")).otherwise(pl.lit("F")),
        age=pl.col("n") % 60,
        day=pl.lit("2020-01-01").str.to_date(),
        amount=pl.col("n"),
    )
    frame.write_parquet(clinic.source / "visits.parquet", row_group_size=5_000)
    kept = clinic.run(TEXT)
    monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    other = Hospital(clinic.root)
    result = other.run(TEXT.replace("version: 1", "version: 2"))
    assert table(result, "visits").equals(table(kept, "visits"))


def test_a_value_left_in_a_dictionary_of_rows_that_are_gone_is_not_in_the_table(clinic: Hospital) -> None:
    sexes = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 20, pa.int32()), pa.array(["M", "F", CANARY]))
    write(clinic, sex=sexes)
    # Without `other` the map refuses what it does not know.
    text = TEXT.replace("sex: {treatment: keep}", "sex: {treatment: generalise, map: {M: 남, F: 여}}")
    assert set(table(clinic.run(text), "visits")["sex"]) == {"남", "여"}


def test_texts_that_are_not_utf_8_are_refused(clinic: Hospital) -> None:
    broken = pa.array([b"M"] * 20 + [b"\xb3\xb2"] * 20)
    write(clinic, sex=pa.StringArray.from_buffers(40, *broken.buffers()[1:]))
    assert refused(clinic).code == "deid.source-broken-parquet"


def test_texts_that_hardly_repeat_are_decoded_row_by_row(clinic: Hospital) -> None:
    many = pl.DataFrame({"few": ["a", "b"] * 100_000, "many": [f"{number:014d}" for number in range(200_000)]})
    many.write_parquet(clinic.source / "many.parquet", row_group_size=100_000)
    with (clinic.source / "many.parquet").open("rb") as file:
        assert few_texts(file, ["many", "few"]) == ["few"]
        assert few_texts(file, []) == []


def test_a_column_with_a_point_in_its_name_is_not_taken_for_one_inside_another(clinic: Hospital) -> None:
    write(clinic, **{"a.b": pa.array(["p", "q"] * 20), "a": pa.array([{"b": "other"}] * 40)})
    text = TEXT.replace("k: 2", "k: 1") + "      a: {treatment: drop}\n      a.b: {treatment: keep, as: ab}\n"
    assert set(table(clinic.run(text), "visits")["ab"]) == {"p", "q"}


def test_identifiers_that_are_too_many_for_memory_are_laid_out_and_give_the_same(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(clinic)
    kept = clinic.run(TEXT)
    laid_out = []
    monkeypatch.setattr("deid.readers.parquet_file.few_texts", lambda *_: [])
    monkeypatch.setattr("deid.readers.parquet_file.NUMBERED", 8)
    monkeypatch.setattr(
        "deid.many.layout.spooled", lambda source, *rest: laid_out.append(source.rows) or spooled(source, *rest)
    )
    again = {}
    for rows_a_value in (1, 16):
        monkeypatch.setattr("deid.readers.parquet_file.ROWS_A_VALUE", rows_a_value)
        again[rows_a_value] = Hospital(clinic.root).run(TEXT.replace("version: 1", f"version: {rows_a_value + 1}"))
    # Forty patients in forty rows are held to be few, or not.
    assert laid_out == [40]
    for result in again.values():
        assert table(result, "visits").equals(table(kept, "visits"))


def test_a_file_weighs_what_its_columns_take_in_memory(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(clinic)
    rule = clinic.recipe(TEXT).tables[0]
    # Forty rows: patient, sex and day by a number of four bytes, age and amount of eight.
    assert weight(rule, clinic.source) == 3 / 8 * 40 * (4 + 4 + 4 + 8 + 8)
    monkeypatch.setattr("deid.readers.parquet_weight.few_texts", lambda *_: [])
    about = pq.ParquetFile(path).metadata
    sizes = [about.row_group(group).column(at).total_uncompressed_size for group in range(4) for at in (2, 4)]
    # A patient by number and ten bytes of what belongs to it; sex and day row by row.
    assert weight(rule, clinic.source) == 3 / 8 * 40 * (4 + 10 + 8 + 8) + 2 * 40 * 16 + sum(sizes)
    path.write_bytes(b"PAR1PAR1")
    assert weight(rule, clinic.source) is None


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("sex: {treatment: keep}", "sex: {treatment: keep, rare: {min_patients: 2}}"),
        ("amount: {treatment: keep, type: integer}", "amount: {treatment: free_text}"),
        ("subject: no", "subject: no\n    unique: [no, day]"),
    ],
    ids=["rare values", "free text", "unique together"],
)
def test_what_is_spelled_out_on_its_way_is_not_weighed_as_numbers(clinic: Hospital, of: str, to: str) -> None:
    write(clinic)
    assert TEXT.count(of) == 1
    assert weight(clinic.recipe(TEXT.replace(of, to)).tables[0], clinic.source) is None
