"""What reference data are compared with: the columns of a project's snapshots, and which of them are keys (R95)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from deid.manifest import Manifest
from deid.versions.keystore import SnapshotKeys
from deid.versions.tables import DataFile, table_files
from enclave.airlock.incoming.limits import DataColumn
from enclave.airlock.incoming.linkage import KEY_SHARE, LEAST_ROWS, sketch


def data_columns(
    dataset: str, folder: Path, manifest: Manifest, keys: SnapshotKeys, columns: Mapping[str, Sequence[str]]
) -> tuple[DataColumn, ...]:
    """Return these columns of a signed snapshot (by table), with digests of the values of its keys.

    Raises `OSError`, `SnapshotShredded` and `KeyFileError` when they cannot be read.
    """
    found: list[DataColumn] = []
    for table, names in columns.items():
        files = table_files(folder, manifest, keys, table)
        found += [_column(dataset, table, name, files) for name in names]
    return tuple(found)


@lru_cache(maxsize=2_000)
def _column(dataset: str, table: str, name: str, files: tuple[DataFile, ...]) -> DataColumn:
    # A snapshot never changes: what was read of a column once holds as long as this process lives.
    values = pa.chunked_array([chunk for file in files for chunk in _read(file, name)])
    distinct = pc.unique(values.drop_null())
    # Of several rows for one person the number of people counts, so a key is also what has very many values.
    key = len(distinct) >= LEAST_ROWS and (len(distinct) >= KEY_SHARE * len(values) or _is_code(distinct))
    return DataColumn(
        dataset=dataset, table=table, column=name, key=key, digests=sketch(_texts(distinct)) if key else ()
    )


def _read(file: DataFile, name: str) -> Iterable[pa.Array]:
    with file.parquet() as parquet:
        chunks: list[pa.Array] = parquet.read(columns=[name], use_threads=False).column(0).chunks
    return [chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk for chunk in chunks]


def _is_code(distinct: pa.Array) -> bool:
    """Whether values look like pseudonyms: texts of one length, of letters and digits mixed."""
    if not pa.types.is_string(distinct.type) and not pa.types.is_large_string(distinct.type):
        return False
    some = [str(each) for each in distinct[:200].to_pylist()]
    lengths = {len(each) for each in some}
    mixed = sum(any(c.isdigit() for c in each) and any(c.isalpha() for c in each) for each in some)
    return len(lengths) == 1 and min(lengths) >= 8 and mixed > len(some) // 2  # noqa: PLR2004 - shorter ones are codes of diseases


def _texts(distinct: pa.Array) -> Iterable[str]:
    return (str(each) for each in distinct.to_pylist())
