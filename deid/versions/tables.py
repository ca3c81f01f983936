"""The one door to the rows of a snapshot: files are decrypted here, on the trusted side, and nowhere else.

Data files are encrypted by Parquet modular encryption (AES_GCM_V1, footer included; Apache Parquet, "Encryption"),
each with a key of its own (`keystore.py`). Snapshots of format 1, and files without a key, are read as they are.
A table of which a bucket was shredded is refused, never read short, unless it is asked for part by part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pme

from deid.errors import SnapshotDamaged, SnapshotShredded
from deid.manifest import Manifest
from deid.versions.keystore import SnapshotKeys


@dataclass(frozen=True)
class DataFile:
    """One data file: its name in the snapshot, where it lies, the key (None: not encrypted)."""

    name: str
    path: Path
    key: bytes | None = field(repr=False)

    def scan(self) -> pl.LazyFrame:
        """Scan the file."""
        return pl.scan_parquet(self.path, decryption=decryption(self.key))

    @contextmanager
    def parquet(self, descriptor: int | None = None, texts: Sequence[str] = ()) -> Iterator[Any]:
        """Open the file (or this descriptor of it, which stays open) as a pyarrow `ParquetFile`.

        Columns of `texts` are read as dictionaries, as they are stored.
        """
        properties = None if self.key is None else _create_decryption(self.key)
        opened = open(self.path, "rb") if descriptor is None else os.fdopen(os.dup(descriptor), "rb")  # noqa: SIM115, PTH123 - closed below
        how = {"decryption_properties": properties, "pre_buffer": False, "read_dictionary": list(texts)}
        with opened, pq.ParquetFile(opened, **how) as file:
            yield file


def table_files(folder: Path, manifest: Manifest, keys: SnapshotKeys, table: str) -> tuple[DataFile, ...]:
    """Return a table's files with their keys, in order.

    Raises `SnapshotShredded` naming all that were shredded, `KeyFileError` when a key is missing, `KeyError` when the
    snapshot has no such table.
    """
    names = manifest.tables[table].files
    gone = tuple(name for name in names if manifest.files[name].dek in keys.shredded)
    if gone:
        raise SnapshotShredded(manifest.id[:12], gone)
    return tuple(DataFile(name, folder / name, keys.of(name, manifest.files[name])) for name in names)


def open_table(folder: Path, manifest: Manifest, keys: SnapshotKeys, table: str) -> pl.LazyFrame:
    """Scan one table of a verified snapshot. Raises as `table_files` does."""
    return scan_all(table_files(folder, manifest, keys, table))


def scan_all(files: tuple[DataFile, ...]) -> pl.LazyFrame:
    """Scan files of one table one after the other."""
    return pl.concat([file.scan() for file in files])


def authenticate(folder: Path, manifest: Manifest, keys: SnapshotKeys) -> tuple[str, ...]:
    """Decrypt every page of every data file that can be; returns the names of those that were shredded.

    Raises `SnapshotDamaged` for one that does not decrypt, or has other rows than were signed.
    """
    gone = keys.missing(manifest)
    for table in manifest.tables.values():
        for name in table.files:
            if name not in gone:
                _read_through(DataFile(name, folder / name, keys.of(name, manifest.files[name])), manifest)
    return gone


def decryption(key: bytes | None) -> pl.ParquetDecryptionProperties | None:
    """Properties with which Polars reads a file of this key."""
    return None if key is None else pl.ParquetDecryptionProperties(footer_key=key)


def encryption(key: bytes) -> pl.ParquetEncryptionProperties:
    """Properties with which Polars writes a file under this key: all columns and the footer, AES_GCM_V1."""
    return pl.ParquetEncryptionProperties(footer_key=key)


def _read_through(file: DataFile, manifest: Manifest) -> None:
    rows = manifest.files[file.name].rows
    try:
        found = file.scan().select(pl.len(), *(pl.all().hash().sum().name.prefix(" "),)).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        words = ("암호를 풀 수 없습니다.", "it does not decrypt.")
        raise SnapshotDamaged(manifest.id[:12], file.name, words) from error
    if rows is not None and found["len"].item() != rows:
        words = ("행 수가 서명된 것과 다릅니다.", "it has other rows than were signed.")
        raise SnapshotDamaged(manifest.id[:12], file.name, words)


def _create_decryption(key: bytes) -> object:
    return cast("Any", pme).create_decryption_properties(key)
