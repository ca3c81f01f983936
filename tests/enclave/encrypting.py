"""Snapshots of the tests as a run of `deid` leaves them: every data file under a key of its own."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pme

from deid.manifest import FileEntry
from deid.snapshot import Sealed
from deid.versions.keystore import KeyStore, create_seal, open_store


def key_store(folder: Path, seal: Path) -> KeyStore:
    """A key store, made if it is not there."""
    if not seal.exists():
        create_seal(seal)
    return open_store(folder, seal)


def encrypted(folder: Path, store: KeyStore) -> Sealed:
    """Encrypt the data files of a folder that is about to be published; their dictionaries stay as they are."""
    keys, about = [], {}
    for path in sorted((folder / "data").rglob("*.parquet")):
        key = store.new_key()
        table = pq.read_table(path)
        pq.write_table(table, path, encryption_properties=pme.create_encryption_properties(key.key))
        keys.append(key)
        about[str(path.relative_to(folder))] = FileEntry("", 0, rows=table.num_rows, bucket=0, dek=key.id)
    return Sealed(store, about, tuple(keys))
