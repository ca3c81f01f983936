"""A signed snapshot of made-up people, and the view of it that a workspace sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deid.manifest import Column, Manifest, Table
from deid.snapshot import publish, unfinished
from enclave.airlock.recompute.snapshot import Source
from tests.enclave.encrypting import encrypted, key_store

PSEUDONYM, PERSONS = "pseudonym(patient)", frozenset({"patient", "subject"})


@dataclass(frozen=True)
class Hospital:
    """A snapshot, its key, and its tables as Arrow."""

    source: Source
    public_key: Ed25519PublicKey
    data: Path
    tables: Mapping[str, pa.Table] = field(default_factory=dict)


def people(rng: np.random.Generator, count: int) -> pa.Table:
    """Return one row per person: sex, age, region, a score with gaps, whether they smoke, when they came."""
    score = rng.normal(50, 10, count).round(3)
    first = date(2019, 1, 1)
    return pa.table(
        {
            "patient": [f"{number:032x}" for number in rng.permutation(count * 7)[:count].tolist()],
            "sex": rng.choice(["F", "M"], count).tolist(),
            "age": rng.integers(20, 90, count),
            "region": pa.array(rng.choice(["광주", "전남", "전북"], count, p=[0.6, 0.3, 0.1]).tolist()),
            "score": pa.array([None if rng.random() < 0.1 else value for value in score.tolist()]),
            "smokes": rng.random(count) < 0.3,
            "came": [first + timedelta(days=int(day)) for day in rng.integers(0, 700, count)],
        }
    )


def labs(rng: np.random.Generator, patients: pa.Table, rows: int) -> pa.Table:
    """Return several rows per person: which test, how much."""
    known = patients["patient"].to_pylist()
    return pa.table(
        {
            "patient": [known[at] for at in rng.integers(0, len(known), rows).tolist()],
            "test": rng.choice(["alt", "ast"], rows).tolist(),
            "value": rng.gamma(2.0, 30.0, rows).round(2),
            "visit": rng.integers(1, 6, rows),
        }
    )


def build(folder: Path, tables: Mapping[str, pa.Table], *, parts: int = 1) -> Hospital:
    """Publish these tables as the snapshot ``clinic`` in ``folder``, and write what a workspace sees of it."""
    key = Ed25519PrivateKey.generate()
    snapshots, data = folder / "snapshots", folder / "data" / "clinic"
    snapshots.mkdir(parents=True)
    data.mkdir(parents=True)
    files: dict[str, tuple[str, ...]] = {}
    store = key_store(folder / "keys", folder / "seal")
    with unfinished(snapshots) as writing:
        for name, table in tables.items():
            pq.write_table(table, data / f"{name}.parquet")
            (writing / "data" / name).mkdir(parents=True)
            files[name] = tuple(f"data/{name}/part-{number:03d}.parquet" for number in range(parts))
            size = -(-table.num_rows // parts)
            for number, file in enumerate(files[name]):
                pq.write_table(table.slice(number * size, size), writing / file)
        (writing / "report.html").write_text("<p>")
        (writing / "risk.json").write_text("{}")
        manifest = _manifest({name: _table(table, files[name]) for name, table in tables.items()})
        target, signed = publish(writing, snapshots, manifest, key, encrypted(writing, store))
    columns = {name: tuple(table.column_names) for name, table in tables.items()}
    return Hospital(Source("clinic", signed.id, target, columns, store), key.public_key(), folder / "data", tables)


def _table(table: pa.Table, files: tuple[str, ...]) -> Table:
    columns = {
        name: Column("String", PSEUDONYM if name in PERSONS else "keep", name, name, quasi_identifier=False)
        for name in table.column_names
    }
    subjects = len(set(table["patient"].to_pylist())) if "patient" in table.column_names else 0
    return Table("표", "Table", columns, table.num_rows, subjects, files)


def _manifest(tables: dict[str, Table]) -> Manifest:
    fixed: dict[str, Any] = {
        "id": "", "dataset": "clinic", "title_ko": "외래", "title_en": "Clinic", "provider": "bitgoeul",
        "legal_basis": "개인정보 보호법 제28조의2", "recipe_version": 1, "recipe_sha256": "ab" * 32,
        "created_at": "2026-11-24T09:00:00Z", "risk": {}, "gates": (), "tool_versions": {}, "lineage": {}, "files": {},
    }  # fmt: skip
    return Manifest(tables=tables, **fixed)
