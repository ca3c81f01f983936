"""What a drill needs before it begins: a signed snapshot of made-up values, and its rows in the enclave's database.

The values are random, so that finding one of them anywhere proves where it came from.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid import snapshot as snapshots
from deid.errors import SnapshotDamaged
from deid.manifest import Column, Manifest, Table
from enclave import clock, keys, reserved
from enclave.actor import Actor
from enclave.commands.drill_ground import APPROVED, CLOSED, TABLE, Ground, set_ground
from enclave.drill.others import as_user
from enclave.settings import Settings
from enclave.store import Store

ROWS = 40
FILE = f"data/{TABLE}/part-0.parquet"
T = TypeVar("T")


@dataclass(frozen=True)
class Canaries:
    """The drill's snapshot, a value of the column that was approved, and all of the one that was not."""

    folder: Path
    approved: str
    closed: tuple[str, ...]


def canaries(settings: Settings, now: datetime) -> Canaries:
    """Return the drill's snapshot; made and signed if it is not there yet or is not what was signed."""
    public = keys.load_public_key(settings.snapshot_public_key)
    note = settings.drill / "snapshot"
    folder = settings.snapshots / note.read_text().strip() if note.exists() else None
    if folder is None or not _is_whole(folder, public):
        folder = _made(settings, now)
        note.write_text(folder.name)
    table = pq.read_table(folder / FILE)
    closed = tuple(str(value) for value in table[CLOSED].to_pylist())
    return Canaries(folder, str(table[APPROVED][0].as_py()), (*closed, f"{CLOSED}-column-name"))


def _is_whole(folder: Path, public: Ed25519PublicKey) -> bool:
    try:
        snapshots.verify(folder, public)
    except (SnapshotDamaged, OSError):
        return False
    return True


def _made(settings: Settings, now: datetime) -> Path:
    key = keys.load_signing_key(settings.keys / "snapshot.key")
    with snapshots.unfinished(settings.snapshots) as folder:
        (folder / FILE).parent.mkdir(parents=True)
        values = {
            APPROVED: [f"seen-{secrets.token_hex(12)}" for _ in range(ROWS)],
            CLOSED: [f"unseen-{secrets.token_hex(12)}" for _ in range(ROWS)],
        }
        pq.write_table(pa.table(values), folder / FILE)
        return snapshots.publish(folder, settings.snapshots, _manifest(now), key)[0]


def _manifest(now: datetime) -> Manifest:
    about = {name: Column("String", "keep", name, name, quasi_identifier=False) for name in (APPROVED, CLOSED)}
    table = Table("표식", "canaries", about, rows=ROWS, subjects=0, files=(FILE,))
    return Manifest(
        id="",
        dataset=reserved.NAME,
        title_ko="모의침투용 합성 자료",
        title_en="Synthetic data of the drill",
        provider=reserved.NAME,
        legal_basis="익명",
        recipe_version=1,
        recipe_sha256="0" * 64,
        created_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        tables={TABLE: table},
        risk={},
        gates=(),
        tool_versions={},
        lineage={},
        files={},
    )


def in_store(settings: Settings, work: Callable[[Store], T]) -> T:
    """Return what `work` returns (a JSON value), done with the database as the portal's user."""

    def act() -> T:
        store = Store(settings.url, observer="drill", wait_s=settings.database_wait_s)
        try:
            return work(store)
        finally:
            store.close()

    value: T = as_user(settings.app_user, act)
    return value


def lay(settings: Settings, folder: Path, ground: Ground) -> None:
    """Bring the drill's rows into this state."""
    public = keys.load_public_key(settings.snapshot_public_key)
    in_store(
        settings,
        lambda store: set_ground(
            store, Actor.system(), folder=folder, public_key=public, ground=ground, now=clock.now()
        ),
    )
