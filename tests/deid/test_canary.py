"""Values of suppressed rows are not in the published bytes: no dictionary, no statistics, no page keeps them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deid import write
from deid.versions import tables
from tests.deid.factory import HEAD, Hospital, gates, table

CANARY = "Q87SECRET"
TABLE = """\
tables:
  visits:
    file: visits.csv
    label: 방문
    subject: no
    quasi_identifiers: [sex]
    columns:
      no: {treatment: pseudonym, domain: patient}
      sex: {treatment: keep}
      diagnosis: {treatment: keep}
      day: {treatment: date_shift, max_days: 5}
      amount: {treatment: keep, type: integer}
"""
AMOUNT = 7_316_498_251_907_344


def uncompressed(path: Path) -> bytes:
    """The file rewritten without compression, dictionaries kept as they were: what a byte scan can read."""
    column_bytes = [path.read_bytes()]
    parquet = pq.ParquetFile(path)
    copy = path.parent.parent.parent.parent / "copy.parquet"
    table = parquet.read()
    pq.write_table(table, copy, compression="none", use_dictionary=True)
    column_bytes.append(copy.read_bytes())
    for group in range(parquet.num_row_groups):
        for column in range(parquet.metadata.num_columns):
            statistics = parquet.metadata.row_group(group).column(column).statistics
            column_bytes.append(str(statistics).encode())
    return b"".join(column_bytes)


def decompressed_pages(path: Path) -> bytes:
    """Every zstd frame found in the file, decompressed: pages and dictionary pages as they were written."""
    data, found = path.read_bytes(), []
    start = data.find(b"\x28\xb5\x2f\xfd")
    codec = pa.Codec("zstd")
    while start >= 0:
        end = data.find(b"\x28\xb5\x2f\xfd", start + 4)
        piece = data[start : end if end >= 0 else len(data)]
        with pa.CompressedInputStream(pa.BufferReader(piece), codec.name) as stream:
            try:
                # Byte by byte: a larger read runs into what follows the frame and loses what it had.
                while block := stream.read(1):
                    found.append(block)
            except OSError:
                pass  # the footer after the last frame is not zstd; what was read before it counts
        start = end
    return b"".join(found)


def source(*, with_canary: bool) -> str:
    rows = [f"n{n},M,I10.{n % 9},2020-01-{n % 28 + 1:02d},{n}\n" for n in range(300)]
    if with_canary:
        rows.insert(150, f"canary,X{CANARY},{CANARY},1931-07-07,{AMOUNT}\n")
    return "no,sex,diagnosis,day,amount\n" + "".join(rows)


@pytest.fixture
def in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same writer without its cipher: a scan of encrypted pages would find nothing, whatever stood in them."""
    monkeypatch.setattr(write, "encryption", lambda _: None)
    for reader in ("decryption", "_create_decryption"):
        monkeypatch.setattr(tables, reader, lambda _: None)


def test_what_is_published_is_encrypted(clinic: Hospital) -> None:
    clinic.write("visits.csv", source(with_canary=False))
    result = clinic.run(HEAD + gates(k=2) + TABLE)
    assert table(result, "visits")["diagnosis"].is_in(["I10.3"]).any()
    for file in result.manifest.tables["visits"].files:
        data = (result.snapshot / file).read_bytes()
        assert (data[:4], data[-4:]) == (b"PARE", b"PARE"), "encrypted footer (Apache Parquet, Encryption)"
        assert b"I10" not in data
        assert b"diagnosis" not in data
        assert b"I10.3" not in decompressed_pages(result.snapshot / file)


@pytest.mark.usefixtures("in_clear")
def test_suppressed_values_are_in_no_byte_of_the_snapshot(clinic: Hospital) -> None:
    clinic.write("visits.csv", source(with_canary=True))
    result = clinic.run(HEAD + gates(k=2) + TABLE)
    files = [result.snapshot / name for name in result.manifest.tables["visits"].files]
    assert pl.read_parquet(files).height == 300
    bytes_seen = b"".join(uncompressed(file) + decompressed_pages(file) for file in files)
    assert b"I10.3" in bytes_seen, "the scan must be able to see values at all"
    assert b"I10.3" in b"".join(map(decompressed_pages, files))
    others = b"".join(p.read_bytes() for p in result.snapshot.rglob("*") if p.is_file())
    for canary in (CANARY.encode(), AMOUNT.to_bytes(8, "little"), str(AMOUNT).encode()):
        assert canary not in bytes_seen
        assert canary not in others


def test_the_scan_finds_what_a_filtered_dictionary_leaves_behind(tmp_path: Path) -> None:
    # The trap this test-suite is about, made on purpose: were the scan blind to it, the test above would prove nothing.
    folder = tmp_path / "a/b/c"
    folder.mkdir(parents=True)
    column = pa.array(["I10", CANARY, "I10"]).dictionary_encode()
    kept = pa.table({"diagnosis": column}).filter(pa.array([True, False, True]))
    pq.write_table(kept, folder / "x.parquet", compression="zstd")
    assert CANARY.encode() in decompressed_pages(folder / "x.parquet")


def test_a_suppressed_patient_leaves_the_same_rows_as_one_who_never_came(clinic: Hospital) -> None:
    clinic.write("visits.csv", source(with_canary=True))
    first = clinic.run(HEAD + gates(k=2) + TABLE)
    clinic.write("visits.csv", source(with_canary=False))
    second = clinic.run(HEAD + gates(k=2) + TABLE)
    assert table(first, "visits").equals(table(second, "visits"))
