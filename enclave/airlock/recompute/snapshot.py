"""The files of one signed snapshot, opened to be read by a sealed process: verified by descriptor, so none can change.

Signature, manifest and the hash of every file that is read are checked here, on the very descriptors that the sealed
process then reads; it opens nothing itself.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid.errors import SnapshotDamaged
from deid.manifest import Manifest, Table
from deid.snapshot import read_manifest
from deid.versions.keystore import KeyStore, keys_of
from deid.versions.tables import DataFile, table_files
from enclave.airlock.recipes.form import Recipe, RecipeRefused, TableRecipe, walk
from enclave.airlock.recompute.frame import split

PIECE = 1 << 20
PSEUDONYM, PERSON = "pseudonym", "patient"


@dataclass(frozen=True)
class Source:
    """One data set of a project: its snapshot's folder, the approved columns by table, and where its keys are."""

    dataset: str
    snapshot: str
    folder: Path
    columns: Mapping[str, tuple[str, ...]]
    store: KeyStore | None = None


@dataclass(frozen=True)
class Opened:
    """One table's files, open for reading, in order. ``person``: its column of pseudonyms."""

    descriptors: tuple[int, ...]
    person: str | None


class NotEntitled(Exception):  # noqa: N818 - named for what happened; becomes a finding
    """The recipe reads what this project may not. ``ko`` and ``en`` name the column."""

    rule = "recompute.not-entitled"

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(en)
        self.ko, self.en = ko, en


def check_entitled(recipe: Recipe, source: Source | None) -> Source:
    """Return the source; raise `NotEntitled` unless it is this snapshot's and has every column the recipe reads."""
    if source is None or (recipe.dataset, recipe.snapshot) != (source.dataset, source.snapshot):
        raise NotEntitled(
            "이 과제에 승인된 스냅샷으로 만든 것이 아닙니다. 작업공간을 다시 열고 만드세요.",
            "It was not made from a snapshot of this project. Open the workspace again and make it anew.",
        )
    here, there = split(recipe.used, recipe.join)
    tables = {recipe.table: here, **({recipe.join: there} if recipe.join else {})}
    for table, names in tables.items():
        for name in [None, *names]:
            if table not in source.columns or (name is not None and name not in source.columns[table]):
                shown = f"{table}.{name}" if name else table
                raise NotEntitled(f"승인되지 않은 열입니다: {shown}.", f"This column is not approved: {shown}.")
    return source


@contextmanager
def opened(source: Source, recipe: Recipe, public_key: Ed25519PublicKey) -> Iterator[dict[str, Opened]]:
    """Open every table with people, whatever their column is called, and the recipe's; all are closed at the end.

    What is encrypted is decrypted here, the needed columns of a table into one memory file: the sealed process gets no
    key. Raises `SnapshotDamaged` for anything that was not signed, `SnapshotShredded` for a version that is not whole
    any more, `KeyFileError` without its keys, `RecipeRefused` for pseudonyms used as a value.
    """
    manifest = read_manifest(source.folder, public_key)
    if manifest.id != source.snapshot:
        raise SnapshotDamaged(source.snapshot[:12], "manifest.json", ("다른 스냅샷입니다.", "another snapshot."))
    _check_no_pseudonym(recipe, manifest)
    keys = keys_of(manifest, source.store)
    here, there = split(recipe.used, recipe.join)
    used = {recipe.table: here, **({recipe.join: there} if recipe.join else {})}
    with ExitStack() as stack:
        found = {}
        for name, table in manifest.tables.items():
            person = person_of(table)
            # Ranks are over all people of the snapshot, the same for every recipe: the ledger keeps them once for each.
            if name in {recipe.table, recipe.join} or person is not None:
                files = table_files(source.folder, manifest, keys, name)
                stored = tuple(_verified(stack, file.path, manifest.files[file.name].sha256) for file in files)
                wanted = dict.fromkeys([*used.get(name, ()), *([person] if person else ())])
                found[name] = Opened(_in_clear(stack, files, stored, list(wanted)), person)
        yield found


def person_of(table: Table) -> str | None:
    """Return the column that says whose row it is: the pseudonym called patient, or the only one."""
    names = [name for name, column in table.columns.items() if column.treatment.startswith(PSEUDONYM)]
    if PERSON in names:
        return PERSON
    return names[0] if len(names) == 1 else None


def _check_no_pseudonym(recipe: Recipe, manifest: Manifest) -> None:
    by = {clause[0] for clause in walk(recipe.filter)}
    by |= {*recipe.keys, *recipe.columns} if isinstance(recipe, TableRecipe) else recipe.used
    by |= {bands.column for bands in recipe.bands.values()}
    for table, prefix in ((recipe.table, ""), *(((recipe.join, f"{recipe.join}."),) if recipe.join else ())):
        for name, column in manifest.tables[table].columns.items():
            if column.treatment.startswith(PSEUDONYM) and prefix + name in by:
                raise RecipeRefused(
                    f"가명번호({prefix}{name})로는 거르거나 나눌 수 없습니다.",
                    f"Pseudonyms ({prefix}{name}) are no key and no condition.",
                )


def _verified(stack: ExitStack, path: Path, sha256: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _damaged(path, f"읽을 수 없습니다({error.strerror}).", "it cannot be read.") from error
    stack.callback(os.close, descriptor)
    digest, offset = hashlib.sha256(), 0
    while piece := os.pread(descriptor, PIECE, offset):
        digest.update(piece)
        offset += len(piece)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or digest.hexdigest() != sha256:
        raise _damaged(path, "내용이 서명된 것과 다릅니다.", "its bytes are not those that were signed.")
    return descriptor


def _in_clear(
    stack: ExitStack, files: Sequence[DataFile], stored: tuple[int, ...], names: list[str]
) -> tuple[int, ...]:
    """Return the descriptors as they are, or one of a memory file with these columns of all that are encrypted."""
    if all(file.key is None for file in files):
        return stored
    memory = os.memfd_create("table", os.MFD_CLOEXEC)
    stack.callback(os.close, memory)
    writer: pq.ParquetWriter | None = None
    with os.fdopen(os.dup(memory), "wb") as target:
        for file, descriptor in zip(files, stored, strict=True):
            try:
                with file.parquet(descriptor) as parquet:
                    read = parquet.read(columns=names or parquet.schema_arrow.names[:1], use_threads=False)
            except OSError as error:
                raise _damaged(file.path, "암호를 풀 수 없습니다.", "it does not decrypt.") from error
            writer = writer or pq.ParquetWriter(target, read.schema, compression="lz4", store_schema=False)
            writer.write_table(read)
        if writer is not None:
            writer.close()
    return (memory,)


def _damaged(path: Path, ko: str, en: str) -> SnapshotDamaged:
    return SnapshotDamaged(path.parent.parent.parent.name[:12], path.name, (ko, en))
