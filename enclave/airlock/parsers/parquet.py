"""Parquet: flat tables only; its metadata, which every reader carries along, is listed and read.

Read without a thread of Arrow's; columns of repeated values stay as they are packed, so that a small file that says
"a billion times the same" is no bomb.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import compute, parquet

from enclave.airlock.checks.findings import block, warn
from enclave.airlock.document import Document, Part, Table
from enclave.airlock.long_table import LongTable, LongTableBuilder
from enclave.airlock.parsers.delimited import LONG_LINES
from enclave.airlock.parsers.grid import too_big
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

MAGIC = b"PAR1"
MOST_CELLS = 60_000_000
MOST_UNPACKED = 512 << 20
MOST_SAID, INDEX_BYTES = 64 << 10, 160
MAKER = re.compile(r"[A-Za-z -]{0,40}(?:version )?[\d.]{0,12}[A-Za-z -]{0,40}")
# Written by Arrow and pandas themselves: the schema once more, and the names of columns.
ORDINARY = frozenset({b"ARROW:schema", b"pandas"})


def parse_parquet(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read one table. Raises `ParseRefused`."""
    del name
    try:
        found = parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        _check_flat(found.schema_arrow)
        _check_bounds(found.metadata, len(found.schema_arrow.names), rules)
        findings = (*_unexplained(found.metadata, content), *_said(found))
        shape = found.metadata.num_rows * len(found.schema_arrow.names)
        said = "\n".join(_texts(found))
        parts = (Part("메타데이터", Document("text", text=said)),) if said else ()
        if shape <= rules.max_cells and found.metadata.num_rows <= max(LONG_LINES, rules.max_rows):
            return Document("table", (_short(found),), findings=findings, parts=parts)
        return Document("table", findings=findings, parts=parts, long_tables=(_long(found),))
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise _damaged() from None


def _damaged() -> ParseRefused:
    return ParseRefused(
        "parse.parquet",
        "Parquet 파일이 온전하지 않거나 읽을 수 없는 형식입니다. CSV로 제출하세요.",
        "The Parquet file is damaged, or of a kind that is not read. Submit CSV.",
    )


def _check_flat(schema: pa.Schema) -> None:
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise ParseRefused(
                "parse.nested",
                "열 안에 목록·구조·이진 자료가 든 Parquet은 받지 않습니다. 평평한 표로 바꾸어 제출하세요.",
                "Parquet with lists, structures or binary data in its cells is not taken. Make it a flat table.",
            )


def _check_bounds(metadata: parquet.FileMetaData, columns: int, rules: CheckRules) -> None:
    unpacked = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if columns > rules.max_columns or metadata.num_rows * columns > MOST_CELLS or unpacked > MOST_UNPACKED:
        raise too_big(rules)


def _unexplained(metadata: parquet.FileMetaData, content: bytes) -> Iterator[Finding]:
    """Bytes that belong to no column: nobody sees them, whatever reads the file."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    used = len(MAGIC) * 2 + 4 + int.from_bytes(content[-8:-4], "little")
    rest = len(content) - used - sum(column.total_compressed_size for column in columns)
    # An index of pages names the least and greatest value of each: small, for there are few pages.
    if not 0 <= rest <= INDEX_BYTES * sum(column.has_offset_index or column.has_column_index for column in columns):
        yield block(
            "parquet.gap",
            f"어느 열에도 속하지 않는 {abs(rest):,}바이트가 있습니다. pandas로 새로 저장해 제출하세요.",
            f"{abs(rest):,} bytes belong to no column. Write the file anew with pandas and submit that.",
        )


def _said(found: parquet.ParquetFile) -> Iterator[Finding]:
    pairs = found.metadata.metadata or {}
    if sum(map(len, pairs.values())) > MOST_SAID:
        yield block(
            "parquet.metadata",
            "Parquet 메타데이터가 너무 큽니다. 메타데이터 없이 저장해 제출하세요.",
            "The Parquet metadata are too large. Write the file without them.",
        )
    own = set(pairs) - ORDINARY
    if own or any(field.metadata and set(field.metadata) - {b"PARQUET:field_id"} for field in found.schema_arrow):
        yield warn(
            "parquet.properties",
            "Parquet 메타데이터에 덧붙인 내용이 있습니다. 점검에는 포함했습니다.",
            "Something was added to the Parquet metadata. It was checked with the rest.",
        )


def _texts(found: parquet.ParquetFile) -> Iterator[str]:
    if not MAKER.fullmatch(found.metadata.created_by or ""):
        yield found.metadata.created_by
    for key, value in (found.metadata.metadata or {}).items():
        if key != b"ARROW:schema":
            yield f"{key.decode('utf-8', 'replace')}: {value.decode('utf-8', 'replace')}"
    for field in found.schema_arrow:
        for key, value in (field.metadata or {}).items():
            yield f"{key.decode('utf-8', 'replace')}: {value.decode('utf-8', 'replace')}"


def _groups(found: parquet.ParquetFile) -> Iterator[list[pa.Array]]:
    for number in range(found.num_row_groups):
        group = found.read_row_group(number, use_threads=False)
        yield [_strings(column) for column in group.columns]


def _strings(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = compute.fill_null(column.cast(pa.string()), "").combine_chunks()
    return text if isinstance(text, pa.Array) else pa.concat_arrays(text.chunks)


def _short(found: parquet.ParquetFile) -> Table:
    rows: list[tuple[str, ...]] = []
    for arrays in _groups(found):
        rows += zip(*(array.to_pylist() for array in arrays), strict=True)
    return Table(tuple(found.schema_arrow.names), tuple(rows))


def _long(found: parquet.ParquetFile) -> LongTable:
    builder = LongTableBuilder(tuple(found.schema_arrow.names))
    for arrays in _groups(found):
        if len(arrays[0]):
            builder.add_arrays(arrays)
    return builder.build()
