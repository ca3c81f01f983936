"""Files that a snapshot holds beside a table: images and signals, each under a key of its own.

On the disk a held file has no name of its own: it lies under the SHA-256 of its name, which is in the encrypted index
alone (names hold pseudonyms, which are keyed and 128 bits long, so that nobody guesses one). Whose it is, the manifest
says by a tag that only the master gives: whoever withdraws is found in every version, also where the index can no
longer be read, and whoever reads the manifest learns no pseudonym.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polars as pl

from deid.errors import SnapshotDamaged
from deid.keys import Derives
from deid.manifest import FileEntry, Manifest
from deid.versions.keystore import SnapshotKeys
from deid.versions.sealed_file import NotWhole, plain_size, unsealed
from deid.versions.tables import open_table

FOLDER = "held"
PURPOSE, TAG_DIGITS = "file-owner", 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
LONGEST_NAME, DEEPEST = 512, 8
# A table is laid out under this ending: no held file may stand in its place.
TABLE_ENDING = ".parquet"


@dataclass(frozen=True)
class HeldFile:
    """One file: its `name` for who may have it, where it lies, its key and its size in bytes, in plain."""

    name: str
    path: Path
    key: bytes = field(repr=False)
    size: int
    snapshot: str

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes. Raises `SnapshotDamaged` where they are not what was sealed."""
        try:
            yield from unsealed(self.path, self.key)
        except (NotWhole, OSError) as error:
            raise _damaged(self.snapshot, self.path, "암호를 풀 수 없습니다.", "it does not decrypt.") from error


def stored_name(name: str) -> str:
    """Name a held file in the snapshot's folder."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{FOLDER}/{digest[:2]}/{digest[2:]}"


def is_plain_name(name: str) -> bool:
    """Whether a name is of folders and a file below where it is laid, in letters that mean nothing to any system."""
    parts = name.split("/")
    short = len(name) <= LONGEST_NAME and len(parts) <= DEEPEST
    table = len(parts) == 1 and PurePosixPath(name).suffix == TABLE_ENDING
    return short and not table and all(NAME.fullmatch(part) for part in parts)


def owner_tags(pseudonyms: Iterable[str], keys: Derives, dataset: str) -> dict[str, str]:
    """Give the tags by which a manifest knows whose a file is, by pseudonym."""
    key = keys.derive(PURPOSE, dataset, "")
    return {each: hmac.digest(key, each.encode(), "sha256").hex()[:TAG_DIGITS] for each in pseudonyms}


def entries(manifest: Manifest) -> Mapping[str, FileEntry]:
    """Return the held files' entries by their names in the snapshot's folder."""
    return {name: entry for name, entry in manifest.files.items() if entry.owners is not None}


def index_table(manifest: Manifest) -> str | None:
    """Name the table that is the index of held files; None where none are held. Raises `SnapshotDamaged` for two."""
    found = [name for name, table in manifest.tables.items() if table.holds]
    if len(found) > 1 or bool(found) < bool(entries(manifest)):
        words = ("파일 목록인 표가 하나가 아닙니다.", "not exactly one table is the index of its files.")
        raise SnapshotDamaged(manifest.id[:12], "manifest.json", words)
    return found[0] if found else None


def held_files(folder: Path, manifest: Manifest, keys: SnapshotKeys) -> tuple[HeldFile, ...]:
    """Return every held file, in the order of the index, with its key.

    Raises `SnapshotDamaged` when the index names a file that is not signed, twice, or out of its folder, or leaves one
    out; `SnapshotShredded` when a key was destroyed; `KeyFileError` when one is missing.
    """
    table = index_table(manifest)
    if table is None:
        return ()
    column = manifest.tables[table].holds
    names = open_table(folder, manifest, keys, table).select(column).collect(engine="streaming")[column].to_list()
    signed, found = entries(manifest), {}
    for name in names:
        stored = stored_name(name) if isinstance(name, str) and is_plain_name(name) else ""
        entry = signed.get(stored)
        if entry is None or stored in found:
            words = ("목록이 없는 파일이나 폴더 밖을 가리킵니다.", "its index names what is not there, or leads out.")
            raise SnapshotDamaged(manifest.id[:12], table, words)
        key = keys.of(stored, entry)
        if key is None:
            raise _damaged(manifest.id, folder / stored, "키가 없습니다.", "it is under no key.")
        found[stored] = HeldFile(name, folder / stored, key, plain_size(entry.bytes), manifest.id)
    if left := sorted(set(signed) - set(found)):
        raise _damaged(manifest.id, folder / left[0], "목록에 없습니다.", "the index does not name it.")
    return tuple(found.values())


def read_through(folder: Path, manifest: Manifest, keys: SnapshotKeys) -> None:
    """Decrypt every held file whose key is there; and if all are, hold the index to them.

    Raises `SnapshotDamaged` for the first that is not what was sealed.
    """
    index_table(manifest)
    if not keys.missing(manifest):
        for held in held_files(folder, manifest, keys):
            for _ in held.chunks():
                pass
        return
    for stored, entry in entries(manifest).items():
        key = None if entry.dek in keys.shredded else keys.of(stored, entry)
        if key is not None:
            for _ in HeldFile("", folder / stored, key, 0, manifest.id).chunks():
                pass


def of_people(manifest: Manifest, people: pl.Series, keys: Derives) -> list[str]:
    """Name the held files of these pseudonyms, as they lie in the snapshot's folder."""
    held = entries(manifest)
    tags = set(owner_tags(people.to_list() if held else (), keys, manifest.dataset).values())
    return [name for name, entry in held.items() if tags.intersection(entry.owners or ())]


def _damaged(snapshot: str, path: Path, ko: str, en: str) -> SnapshotDamaged:
    return SnapshotDamaged(snapshot[:12], str(Path(*path.parts[-3:])), (ko, en))
