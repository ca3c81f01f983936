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
MOST_SAID, MOST_UNUSED = 64 << 10, 50
INDEX_BYTES, LONGEST_BOUND, PAGE_BYTES = 160, 1024, 512
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8, "INT96": 12, "FIXED_LEN_BYTE_ARRAY": 32}
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
        unused = list(_unused(content, found))
        said = "\n".join([*_texts(found), *unused])
        findings = (*_unexplained(found.metadata, content), *_left_over(unused), *_said(found, said))
        parts = (Part("메타데이터", Document("text", text=said)),) if 0 < len(said) <= MOST_SAID else ()
        shape = found.metadata.num_rows * len(found.schema_arrow.names)
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
    """Bytes that belong to no column, or to more values than it has: nobody sees them, whatever reads the file."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    used = len(MAGIC) * 2 + 4 + int.from_bytes(content[-8:-4], "little")
    rest = len(content) - used - sum(column.total_compressed_size for column in columns)
    # An index of pages names the least and greatest value of each: small, for there are few pages.
    allowed = sum(_index_bytes(column) for column in columns)
    swollen = sum(max(0, column.total_compressed_size - _most_bytes(column)) for column in columns)
    if not 0 <= rest <= allowed or swollen:
        extra = max(abs(rest), swollen)
        yield block(
            "parquet.gap",
            f"어느 열의 값도 아닌 {extra:,}바이트가 있습니다. pandas로 새로 저장해 제출하세요.",
            f"{extra:,} bytes are no values of any column. Write the file anew with pandas and submit that.",
        )


def _index_bytes(column: parquet.ColumnChunkMetaData) -> int:
    if not (column.has_offset_index or column.has_column_index):
        return 0
    statistics = column.statistics
    bounds = (statistics.min, statistics.max) if statistics is not None and statistics.has_min_max else ()
    return INDEX_BYTES + 2 * sum(min(len(each.encode()), LONGEST_BOUND) for each in bounds if isinstance(each, str))


def _most_bytes(column: parquet.ColumnChunkMetaData) -> float:
    # Twice its width for each value, for there may be a dictionary; texts are looked through value by value.
    width = WIDTHS.get(column.physical_type)
    return 2 * width * column.num_values + PAGE_BYTES if width else float("inf")


def _unused(content: bytes, found: parquet.ParquetFile) -> Iterator[str]:
    """Yield texts that no row holds: entries of dictionaries, and bounds in the statistics of columns."""
    schema = found.schema_arrow
    kinds = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in schema]
    texts = [number for number, kind in enumerate(kinds) if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
    packed = parquet.ParquetFile(
        pa.BufferReader(content), pre_buffer=False, read_dictionary=[schema.names[number] for number in texts]
    )
    for group in range(packed.num_row_groups):
        columns = packed.read_row_group(
            group, columns=[schema.names[each] for each in texts], use_threads=False
        ).columns
        for number, column in zip(texts, columns, strict=True):
            yield from _beyond_rows(column, found.metadata.row_group(group).column(number).statistics)


def _beyond_rows(column: pa.ChunkedArray, statistics: parquet.Statistics | None) -> Iterator[str]:
    used: set[str] = set()
    for chunk in column.chunks:
        there = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        rows = set(there.indices.unique().to_pylist())
        values = there.dictionary.to_pylist()
        used |= {values[row] for row in rows if row is not None}
        yield from (value for row, value in enumerate(values) if row not in rows and value is not None)
    if statistics is not None and statistics.has_min_max:
        # Writers may cut long bounds: what a value begins with is no news.
        yield from (
            bound
            for bound in (statistics.min, statistics.max)
            if isinstance(bound, str) and not any(value.startswith(bound[:-1] or bound) for value in used)
        )


def _left_over(unused: list[str]) -> Iterator[Finding]:
    if unused:
        make = block if len(unused) > MOST_UNUSED else warn
        yield make(
            "parquet.unused",
            f"어느 행에도 없는 값 {len(unused):,}개가 파일에 남아 있습니다. 쓰지 않는 범주를 지우고 저장하세요.",
            f"{len(unused):,} values are in the file that no row has. Remove unused categories and save it anew.",
        )


def _said(found: parquet.ParquetFile, said: str) -> Iterator[Finding]:
    pairs = found.metadata.metadata or {}
    if len(said) > MOST_SAID:
        yield block(
            "parquet.metadata",
            "행이 아닌 내용(메타데이터, 쓰지 않는 범주)이 너무 많습니다. 빼고 저장해 제출하세요.",
            "There is too much in the file that is in no row (metadata, unused categories). Write it without.",
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
