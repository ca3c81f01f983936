"""The files of a run, each encrypted under a key of its own; those of the version before are kept where they are equal.

Plain bytes are compared, inside the trust boundary, as rows are (`versions/same_rows.py`): a file that is equal keeps
its ciphertext by a hard link, and its key is wrapped anew under the new version's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deid.errors import DeidError
from deid.keys import Keys
from deid.manifest import FileEntry
from deid.versions.before import Before
from deid.versions.held import owner_tags, stored_name
from deid.versions.keystore import FileKey
from deid.versions.sealed_file import NotWhole, plain_size, seal, unsealed


@dataclass(frozen=True)
class SealedFiles:
    """The held files of a version: what the manifest says of each, their keys, and what became of the parent's."""

    about: Mapping[str, FileEntry]
    keys: tuple[FileKey, ...]
    kept: int
    gone: int

    @property
    def difference(self) -> dict[str, int]:
        """Count files that came, that went, and that were kept, for the manifest."""
        return {"came": len(self.about) - self.kept, "went": self.gone, "kept": self.kept}


def seal_files(  # noqa: PLR0913, PLR0917 - what a version is made of
    plain: Path, target: Path, people: Mapping[str, Iterable[str]], keys: Keys, dataset: str, before: Before | None
) -> SealedFiles:
    """Put every file of `people` (whose each is, by name below `plain`) into the snapshot's folder `target`.

    Each plain file is gone when it is sealed. Raises `OSError`.
    """
    tags = owner_tags({each for whose in people.values() for each in whose}, keys, dataset)
    about, found, kept = {}, [], 0
    for name, whose in people.items():
        stored = stored_name(name)
        path = target / stored
        path.parent.mkdir(parents=True, exist_ok=True)
        key = _keep(plain / name, path, stored, before)
        kept += key is not None
        if key is None:
            key = keys.storage.new_key()
            with (plain / name).open("rb") as source:
                seal(source, path, key.key)
        (plain / name).unlink()
        about[stored] = FileEntry("", 0, dek=key.id, owners=tuple(sorted({tags[each] for each in whose})))
        found.append(key)
    earlier = {name for name, entry in before.manifest.files.items() if entry.owners is not None} if before else set()
    return SealedFiles(about, tuple(found), kept, len(earlier - set(about)))


def _keep(plain: Path, target: Path, stored: str, before: Before | None) -> FileKey | None:
    """Keep the parent's file of that name if it holds the same bytes and can still be read; gives its key."""
    old = before.held(stored) if before else None
    if old is None or not _is_same(plain, old.file.path, old.key.key):
        return None
    old.link(target)
    return old.key


def _is_same(plain: Path, sealed: Path, key: bytes) -> bool:
    try:
        if plain.stat().st_size != plain_size(sealed.stat().st_size):
            return False
        with plain.open("rb") as file:
            return all(file.read(len(chunk)) == chunk for chunk in unsealed(sealed, key))
    except (NotWhole, DeidError, OSError):
        return False
