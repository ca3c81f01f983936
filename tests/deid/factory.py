"""Small hospitals for the tests: recipes as text, files as bytes, keys, one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from deid import engine, keys, recipe
from deid.engine import RunResult
from deid.versions.keystore import SnapshotKeys, open_store
from deid.versions.options import key_store
from deid.versions.tables import DataFile, open_table, table_files

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

HEAD = """\
recipe: 1
dataset: visits
version: 1
title: {ko: 방문, en: Visits}
provider: testhospital
legal_basis: 시험
"""

PEOPLE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    quasi_identifiers: [sex, age]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      name: {treatment: drop, direct: true}
      sex: {treatment: keep}
      age: {treatment: generalise, band: {width: 10, top: 80}}
      day: {treatment: date_shift, max_days: 30}
      amount: {treatment: keep, type: integer}
"""


def gates(k: int = 2, share: float = 1.0, more: str = "") -> str:
    return f"gates: {{k: {k}, max_suppressed_share: {share}{more}}}\n"


@dataclass(frozen=True)
class Hospital:
    """A folder with a recipe, source files, keys and a place for snapshots."""

    root: Path

    @property
    def out(self) -> Path:
        return self.root / "snapshots"

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def public_key(self) -> keys.Ed25519PublicKey:
        return keys.load_public(self.root / "keys/sign.pem.pub")

    @property
    def keys(self) -> keys.Keys:
        loaded = keys.load(self.root / "keys", self.root / "keys/sign.pem")
        return replace(loaded, store=key_store(self.root / "keys"))

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.source / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def recipe(self, text: str) -> recipe.Recipe:
        path = self.root / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return recipe.load(path)

    def run(self, text: str, *, project: str = "") -> RunResult:
        own = self.keys.for_project(project) if project else self.keys
        return engine.run(self.recipe(text), self.source, self.out, own, now=NOW)

    def left_behind(self) -> list[str]:
        """Everything in the place for snapshots, hidden or not."""
        return sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []


def hospital(root: Path) -> Hospital:
    (root / "source").mkdir(parents=True)
    keys.create_master(root / "keys")
    keys.create_signing(root / "keys/sign.pem")
    return Hospital(root)


def table(result: RunResult, name: str) -> pl.DataFrame:
    """The rows of a table, decrypted with the keys of the hospital that made it."""
    return open_table(result.snapshot, result.manifest, snapshot_keys(result), name).collect()


def files_of(result: RunResult, name: str) -> tuple[DataFile, ...]:
    return table_files(result.snapshot, result.manifest, snapshot_keys(result), name)


def snapshot_keys(result: RunResult) -> SnapshotKeys:
    folder = result.snapshot.parent.parent / "keys"
    return open_store(folder / keys.STORE, folder / keys.SEAL).of(result.manifest)


def visits(rows: list[tuple[object, ...]]) -> str:
    return "no,name,sex,age,day,amount\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
