"""Project views: the approved columns of one verified snapshot, as plain Parquet files, and the files they stand for.

Parquet has no column permissions: whoever opens a file reads every column. So the columns a project may see are
written anew, and only that folder is ever mounted. Where an approved column stands for files (images, signals), they
lie beside their table under the names it gives (`view_files.py`). A view is named by (snapshot, columns): two projects
with the same entitlement share it, and asking again costs a check instead of a copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid.errors import KeyFileError, SnapshotDamaged, SnapshotShredded
from deid.manifest import Manifest
from deid.snapshot import sha256_of, verify
from deid.versions.held import HeldFile, held_files, index_table
from deid.versions.keystore import KeyStore, SnapshotKeys, keys_of
from deid.versions.tables import DataFile, table_files
from enclave.errors import Denied, Invalid, Unavailable
from enclave.snapshot_keys import unreadable
from enclave.workspace.view_files import check_room, lay, lay_half

FORMAT, HALF_FORMAT = "ansim-view-v1", "ansim-half-view-v1"
BATCH_ROWS = 1 << 18


@dataclass(frozen=True)
class View:
    """One project view: its folder, and the hash of (snapshot, columns) that names it."""

    path: Path
    sha256: str


def project_view(
    snapshot_folder: Path,
    columns: Mapping[str, Sequence[str]],
    out_root: Path,
    *,
    public_key: Ed25519PublicKey,
    store: KeyStore | None = None,
) -> View:
    """Return the view of these columns (by table name), made now if it is not there yet.

    Every call verifies the snapshot's signature and file hashes, and those of a view that is already there. `store` has
    the keys of encrypted snapshots; they are used here and go nowhere else.
    Raises `Denied` (`workspace.snapshot-damaged`, naming the file; `workspace.snapshot-shredded` for one that is not
    whole any more, whichever tables are asked for), `Invalid` (`workspace.unknown-column`), `Unavailable`
    (`workspace.view-not-written`, `workspace.view-too-large`, `keys.unreadable`); then no half-made view is left.
    """
    try:
        manifest = verify(snapshot_folder, public_key)
        keys = keys_of(manifest, store)
        files = _files(snapshot_folder, manifest, keys)
        chosen = _in_order(manifest, columns)
        view = View(out_root / _name(manifest.id, chosen), _name(manifest.id, chosen))
        if _is_whole(view):
            _sidecar(view).touch()  # asked for now: it is not forgotten while its plan is made
        else:
            held = held_files(snapshot_folder, manifest, keys) if _has_files(manifest, chosen) else ()
            _make(files, chosen, held, view)
    except SnapshotDamaged as error:
        raise _damaged(error) from error
    except SnapshotShredded as error:
        raise _shredded(error) from error
    except KeyFileError as error:
        raise unreadable(error) from error
    return view


def _has_files(manifest: Manifest, chosen: Mapping[str, Sequence[str]]) -> bool:
    """Whether the column that stands for files is among those that are approved."""
    table = index_table(manifest)
    return table is not None and manifest.tables[table].holds in chosen.get(table, ())


def _in_order(manifest: Manifest, columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the chosen columns in the snapshot's order, so that one entitlement has one name."""
    for table, names in columns.items():
        known = manifest.tables[table].columns if table in manifest.tables else {}
        missing = sorted(set(names) - set(known))
        if missing or not names:
            raise _unknown(table, missing)
    return {
        table: [name for name in manifest.tables[table].columns if name in columns[table]] for table in sorted(columns)
    }


def _name(snapshot: str, columns: Mapping[str, Sequence[str]]) -> str:
    value = {"format": FORMAT, "snapshot": snapshot, "columns": columns}
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def _sidecar(view: View) -> Path:
    # Beside the folder, not in it: the workspace sees data files only.
    return view.path.with_name(view.sha256 + ".json")


def _is_whole(view: View) -> bool:
    try:
        return bool(json.loads(_sidecar(view).read_bytes()) == _hashes(view.path))
    except (OSError, ValueError):
        return False


def _files(snapshot: Path, manifest: Manifest, keys: SnapshotKeys) -> dict[str, tuple[DataFile, ...]]:
    if gone := keys.missing(manifest):
        raise SnapshotShredded(manifest.id[:12], gone)
    return {table: table_files(snapshot, manifest, keys, table) for table in manifest.tables}


def _make(
    files: Mapping[str, Sequence[DataFile]],
    columns: Mapping[str, Sequence[str]],
    held: Sequence[HeldFile],
    view: View,
) -> None:
    folder: Path | None = None
    try:
        view.path.parent.mkdir(parents=True, exist_ok=True)
        check_room(held, view.path.parent)
        folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=view.path.parent))
        for table, names in columns.items():
            _write(files[table], list(names), folder / f"{table}.parquet")
        lay(held, folder)
        folder.chmod(0o755)
        _put(view, folder)
    except OSError as error:
        raise _not_written(view, error) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _write(sources: Sequence[DataFile], names: list[str], target: Path) -> None:
    """Copy columns batch by batch. Nothing of the others may remain: no metadata, no dictionary of a wider table."""
    with sources[0].parquet() as first:
        schema = _plain(first.schema_arrow, names)
    with pq.ParquetWriter(target, schema, compression="zstd", store_schema=False) as writer:
        for source in sources:
            with source.parquet() as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=names):
                    writer.write_table(pa.Table.from_batches([batch]).select(names).cast(schema))
    with target.open("rb") as written:
        os.fsync(written.fileno())
    target.chmod(0o444)


def _plain(schema: Any, names: list[str]) -> Any:
    # An Arrow dictionary carries every value of the column it was cut from, also those of suppressed rows.
    fields = [schema.field(name) for name in names]
    types = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in fields]
    return pa.schema([pa.field(name, kind) for name, kind in zip(names, types, strict=True)])


def _put(view: View, folder: Path) -> None:
    """Let the finished folder appear by one rename; a damaged one of that name is moved out of the way first."""
    note = folder.with_name(folder.name + ".json")
    note.write_text(json.dumps(_hashes(folder), sort_keys=True))
    note.replace(_sidecar(view))
    if view.path.exists():
        if _is_whole(view):
            return
        aside = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=view.path.parent))
        view.path.rename(aside)
        shutil.rmtree(aside)
    folder.rename(view.path)


def _damaged(error: SnapshotDamaged) -> Denied:
    return Denied(
        "workspace.snapshot-damaged",
        ko=f"스냅샷이 서명과 다르므로 작업공간에 연결하지 않았습니다. {error.ko}",
        en=f"The snapshot differs from what was signed, so it was not mounted. {error.en}",
        remedy_ko="데이터 관리자에게 스냅샷을 다시 공개해 달라고 요청하십시오.",
        remedy_en="Ask the data steward to publish the snapshot again.",
    )


def _shredded(error: SnapshotShredded) -> Denied:
    return Denied(
        "workspace.snapshot-shredded",
        ko=f"철회한 환자가 있어 이 버전은 더 쓸 수 없습니다. {error.ko}",
        en=f"A patient withdrew, so this version is no longer used. {error.en}",
        remedy_ko="데이터 관리자가 새 버전을 공개했습니다. 과제의 데이터를 새 버전으로 신청하세요.",
        remedy_en="The data steward has published a new version: apply for that one.",
    )


def _unknown(table: str, missing: list[str]) -> Invalid:
    which = f"{table}: {', '.join(missing) or '-'}"
    return Invalid(
        "workspace.unknown-column",
        ko=f"스냅샷에 없는 표 또는 열입니다: {which}",
        en=f"The snapshot has no such table or column: {which}",
        remedy_ko="승인된 열 목록을 스냅샷의 열과 맞춰 주십시오.",
        remedy_en="Make the approved columns agree with those of the snapshot.",
    )


def _not_written(view: View, error: OSError) -> Unavailable:
    return Unavailable(
        "workspace.view-not-written",
        ko=f"승인된 열을 {view.path.parent}에 쓰지 못했습니다({error.strerror}).",
        en=f"The approved columns could not be written to {view.path.parent} ({error.strerror}).",
        remedy_ko="디스크 공간을 확인한 뒤 다시 시작하십시오.",
        remedy_en="Check the disk's free space and start again.",
    )


def half_view(view: View, out_root: Path) -> View:
    """Return a view with every second row of each table of another one: the same columns, other numbers.

    Code that gives the very same result from it did not take that result from the data (docs/adr/0025).
    """
    name = hashlib.sha256(f"{HALF_FORMAT}\n{view.sha256}".encode()).hexdigest()
    half = View(out_root / name, name)
    if _is_whole(half):
        _sidecar(half).touch()
    else:
        folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out_root))
        try:
            for source in sorted(view.path.glob("*.parquet")):
                _halve(source, folder / source.name)
            lay_half(view.path, folder)
            folder.chmod(0o755)
            _put(half, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return half


def _halve(source: Path, target: Path) -> None:
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(BATCH_ROWS):
            writer.write_batch(batch.take(pa.array(range(0, batch.num_rows, 2), pa.int64())))
    target.chmod(0o444)
