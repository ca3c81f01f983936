"""The version before (the parent): what of it can be kept as it is, and what it said.

A bucket with the same rows keeps its file: a hard link to the same ciphertext, whose key is wrapped anew for the new
version. A bucket to which rows were added keeps its file and gets another one beside it, until those are many.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid.errors import DeidError, SnapshotShredded
from deid.manifest import Column, Manifest, Table
from deid.snapshot import MANIFEST, read_manifest
from deid.versions.keystore import FileKey, KeyStore, SnapshotKeys, keys_of
from deid.versions.tables import DataFile, scan_all, table_files


@dataclass(frozen=True)
class Kept:
    """One file of the parent as it may be kept: where it lies, its rows and its key."""

    file: DataFile
    rows: int
    key: FileKey

    def link(self, target: Path) -> None:
        """Let it appear at `target`: a hard link where the file system can, else a copy."""
        try:
            os.link(self.file.path, target)
        except OSError:
            shutil.copyfile(self.file.path, target)


@dataclass(frozen=True)
class Before:
    """The parent: its folder, manifest and keys."""

    folder: Path
    manifest: Manifest
    keys: SnapshotKeys

    def table(self, name: str) -> Table | None:
        """Return the parent's table of that name."""
        return self.manifest.tables.get(name)

    def bucket(self, table: str, bucket: int) -> tuple[Kept, ...] | None:
        """Return the files of one bucket (none: nobody was in it), or None when one of them cannot be read any more."""
        found = []
        for name in self.manifest.tables[table].files:
            entry = self.manifest.files[name]
            if entry.bucket != bucket:
                continue
            try:
                key = self.keys.of(name, entry)
            except SnapshotShredded:
                return None
            if key is None or entry.dek is None:
                return None
            found.append(Kept(DataFile(name, self.folder / name, key), entry.rows or 0, FileKey(entry.dek, key)))
        return tuple(found)

    def held(self, stored: str) -> Kept | None:
        """Return a held file (`held.py`) by its name in the folder; None if it is not there or cannot be read."""
        entry = self.manifest.files.get(stored)
        if entry is None or entry.owners is None or entry.dek is None:
            return None
        try:
            key = self.keys.of(stored, entry)
        except DeidError:
            return None
        return None if key is None else Kept(DataFile(stored, self.folder / stored, key), 0, FileKey(entry.dek, key))

    def people(self, table: str) -> pl.Series | None:
        """Return the distinct pseudonyms of a table, sorted; None when it is not there or cannot be read whole."""
        found = self.table(table)
        if found is None or not found.subject:
            return None
        try:
            frame = scan_all(table_files(self.folder, self.manifest, self.keys, table))
        except DeidError:
            return None
        return frame.select(pl.col(found.subject).unique().sort()).collect(engine="streaming").to_series()


def same_columns(before: Table, columns: dict[str, Column]) -> bool:
    """Whether two versions of a table have the same columns, in name, order, kind and treatment."""
    old = [(name, column.dtype, column.treatment) for name, column in before.columns.items()]
    return old == [(name, column.dtype, column.treatment) for name, column in columns.items()]


def load(folder: Path, public_key: Ed25519PublicKey, store: KeyStore | None) -> Before:
    """Open a version as the parent of the next. Raises `SnapshotDamaged`, `KeyFileError`."""
    manifest = read_manifest(folder, public_key)
    return Before(folder, manifest, keys_of(manifest, store))


def newest(out: Path, dataset: str, project: str, public_key: Ed25519PublicKey) -> Path | None:
    """Return the folder of the newest snapshot in `out` of a data set, made for this project ("": the catalogue).

    By the time it was signed with; None if there is none. Raises `SnapshotDamaged` for one that says it is of this data
    set and is not what was signed.
    """
    claims = f'"dataset": "{dataset}"'.encode()
    paths = [path for path in out.glob(f"[0-9a-f]*/{MANIFEST}") if claims in path.read_bytes()]
    manifests = [read_manifest(path.parent, public_key) for path in paths]
    ours = [each for each in manifests if each.dataset == dataset and each.project == project]
    followed = {each.parent for each in ours}
    return out / max(ours, key=lambda each: (each.created_at, each.id not in followed, each.id)).id if ours else None
