"""Crypto-shredding: in every version, the keys of the files that hold a person who withdrew are destroyed.

Every version in the folder is looked through, not only the last: each pseudonym column of each file that can still be
read. Doing it again changes nothing, so a run that was killed is finished by the next (deid-tabular.md §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid.errors import KeyFileError
from deid.keys import Keys, find_generation, read_master
from deid.manifest import Manifest
from deid.snapshot import MANIFEST, read_manifest
from deid.transform.pseudonyms import pseudonym
from deid.versions.feed import Withdrawn
from deid.versions.held import of_people
from deid.versions.keystore import SnapshotKeys
from deid.versions.recalls import NOW, Recall, leave
from deid.versions.spellings import usual
from deid.versions.tables import DataFile

KIND = "pseudonym"


@dataclass(frozen=True)
class Shredded:
    """One version: its id, the files whose keys were destroyed now, and all that cannot be read any more.

    `plain`: it holds such a person and is not encrypted (format 1); only removing its folder helps.
    `unknown`: the master key it was made with is gone, so nobody can be found in it.
    """

    snapshot: str
    files: tuple[str, ...]
    missing: tuple[str, ...]
    plain: bool = False
    unknown: bool = False


def shred(  # noqa: PLR0913 - the last four by name only
    out: Path,
    dataset: str,
    withdrawn: Withdrawn,
    keys: Keys,
    *,
    key_folder: Path,
    public_key: Ed25519PublicKey,
    day: date,
    mounts_end: str = NOW,
) -> tuple[Shredded, ...]:
    """Destroy the keys of every file of a data set's versions in `out` that holds one of the people.

    Each such version is recalled first (`recalls.py`): whoever offers it ends its mounts as `mounts_end` says.
    Returns the versions that held one or already had lost files. Raises `SnapshotDamaged`, `KeyFileError`.
    """
    found = []
    for path in sorted(out.glob(f"[0-9a-f]*/{MANIFEST}")):
        if f'"dataset": "{dataset}"'.encode() not in path.read_bytes():
            continue
        manifest = read_manifest(path.parent, public_key)
        if manifest.dataset == dataset:
            made_with = _made_with(manifest, keys, key_folder)
            found.append(_one(path.parent, manifest, withdrawn, made_with, keys, (day.isoformat(), mounts_end)))
    return tuple(each for each in found if each.missing or each.plain or each.unknown)


def pseudonyms(withdrawn: Withdrawn, keys: Keys, dataset: str) -> pl.Series:
    """Return the people's pseudonyms under these keys, whatever spelling of their ids they were made of."""
    known = usual(withdrawn.ids, withdrawn.spellings)
    frame = pl.DataFrame({"id": sorted(known)}, schema={"id": pl.String})
    return frame.select(pseudonym("id", keys, dataset, withdrawn.domain)).to_series()


def _one(  # noqa: PLR0913, PLR0917 - one version with everything that is needed to look through it
    folder: Path, manifest: Manifest, withdrawn: Withdrawn, made_with: Keys | None, keys: Keys, when: tuple[str, str]
) -> Shredded:
    own = keys.storage.of(manifest)
    if made_with is None:
        return Shredded(manifest.id, (), own.missing(manifest), unknown=True)
    people = pseudonyms(withdrawn, made_with, manifest.dataset)
    # Held files are found by their tags, also where the index that names them cannot be read any more.
    held = [name for name in of_people(manifest, people, made_with) if manifest.files[name].dek not in own.shredded]
    names = _holding(folder, manifest, own, people) + held
    gone = tuple(name for name in names if manifest.files[name].dek)
    concerned, (day, ends) = {*names, *own.missing(manifest)}, when
    if concerned:
        recall = Recall(manifest.id, day, len(concerned), ends, plain=len(gone) < len(names))
        leave(keys.storage.folder, recall)
    deks = [dek for name in gone if (dek := manifest.files[name].dek)]
    if deks:
        keys.storage.shred(manifest.id, deks, day=day)
    missing = keys.storage.of(manifest).missing(manifest)
    return Shredded(manifest.id, gone, missing, plain=len(gone) < len(names))


def _holding(folder: Path, manifest: Manifest, own: SnapshotKeys, people: pl.Series) -> list[str]:
    """Names of the readable data files with one of the people in any pseudonym column."""
    found = []
    for table in manifest.tables.values():
        columns = [name for name, column in table.columns.items() if column.treatment.startswith(KIND)]
        for name in table.files if columns else ():
            entry = manifest.files[name]
            if entry.dek in own.shredded:
                continue
            scan = DataFile(name, folder / name, own.of(name, entry)).scan()
            held = scan.select(pl.any_horizontal(pl.col(columns).is_in(people.implode()).any()))
            if held.collect(engine="streaming").item():
                found.append(name)
    return found


def _made_with(manifest: Manifest, keys: Keys, key_folder: Path) -> Keys | None:
    """Return the keys a version was made with: its generation of the master, its project. None if they are gone."""
    named: Mapping[str, str | int] = manifest.lineage.get("keys", {})
    generation, project = int(named.get("generation", 1)), str(named.get("project", ""))
    if generation != keys.generation:
        try:
            number, path = find_generation(key_folder, generation)
            keys = replace(keys, master=read_master(path), generation=number)
        except KeyFileError:
            return None
    return replace(keys, project=project)
