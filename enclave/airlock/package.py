"""The package handed to a receiver: a zip of the approved files and ``manifest.json``, encrypted at rest.

The bytes come from quarantine by the hash that was approved and are hashed again while they are packed: what was
reviewed is what is released (korea.md R44). The zip has the same bytes whenever it is built from the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO, cast

from enclave.airlock.encryption import Encrypter, ReleaseKey, damaged, decrypt
from enclave.airlock.quarantine import Quarantine

PIECE = 1 << 20
MANIFEST = "manifest.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: no clock, so that equal files give equal bytes
NAME_CHARS = 120
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


@dataclass(frozen=True)
class Approved:
    """One approved file: its name as submitted, and the SHA-256 it was approved under."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the manifest says besides the files. Times as ISO 8601 text; no names of persons."""

    request_id: str
    project_id: str
    receiver: str
    released_at: str


@dataclass(frozen=True)
class Package:
    """A package at rest (``sha256``, ``size`` of the encrypted file) and the zip inside (``content_sha256``)."""

    sha256: str
    size: int
    content_sha256: str


def build(out: Path, files: Sequence[Approved], labels: Labels, *, quarantine: Quarantine, key: ReleaseKey) -> Package:
    """Write the encrypted package to ``out`` (0600; whole or not at all; an earlier one is replaced).

    Raises `StoredFileMissing` or `StoredFileDamaged` when quarantine no longer holds what was approved; `ValueError`
    without files or for a key that has not 32 bytes.
    """
    if not files:
        raise ValueError("a release holds at least one approved file")
    with _appears_whole(out) as stream:
        encrypter = Encrypter(stream, key)
        content = _Hashed(encrypter)
        _write_zip(content, files, labels, quarantine)
        encrypter.close()
        stream.flush()
        stream.seek(0)
        sealed = hashlib.file_digest(stream, "sha256").hexdigest()
        return Package(sealed, stream.tell(), content.digest.hexdigest())


def open_content(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield the zip inside, in authenticated pieces of at most 1 MiB.

    Raises `PackageDamaged` at the first piece that does not hold; a transfer must then be broken off.
    """
    with path.open("rb") as source:
        yield from decrypt(source, key)


def decrypt_to(source: BinaryIO, out: BinaryIO, key: bytes) -> str:
    """Write the zip inside to ``out`` and return its SHA-256. Raises `PackageDamaged`."""
    digest = hashlib.sha256()
    for piece in decrypt(source, key):
        digest.update(piece)
        out.write(piece)
    return digest.hexdigest()


def safe_names(names: Sequence[str]) -> list[str]:
    """Turn submitted names into plain, distinct file names without folders, as they stand in the zip."""
    given: list[str] = []
    taken = {MANIFEST}
    for name in names:
        text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
        plain = UNSAFE.sub("_", text).strip(". ")[-NAME_CHARS:] or "file"
        stem, dot, ending = plain.rpartition(".")
        number, candidate = 1, plain
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem} ({number}){dot}{ending}" if stem else f"{plain} ({number})"
        taken.add(candidate.casefold())
        given.append(candidate)
    return given


class _Hashed:
    """Passes bytes on and hashes them; has no `seek`, so the zip is written front to back."""

    def __init__(self, target: Encrypter) -> None:
        self.target, self.digest = target, hashlib.sha256()

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        return self.target.write(piece)

    def flush(self) -> None:
        self.target.flush()


def _write_zip(content: _Hashed, files: Sequence[Approved], labels: Labels, quarantine: Quarantine) -> None:
    entries = []
    with zipfile.ZipFile(cast("BinaryIO", content), "w", zipfile.ZIP_DEFLATED) as archive:
        for approved, name in zip(files, safe_names([file.name for file in files]), strict=True):
            size = _add(archive, name, approved, quarantine)
            entries.append({"name": name, "sha256": approved.sha256, "size": size})
        manifest = {"format": "ansim-release/1", **labels.__dict__, "files": entries}
        text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
        archive.writestr(zipfile.ZipInfo(MANIFEST, EPOCH), text)


def _add(archive: zipfile.ZipFile, name: str, approved: Approved, quarantine: Quarantine) -> int:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    digest, size = hashlib.sha256(), 0
    with quarantine.open(approved.sha256) as source, archive.open(entry, "w", force_zip64=True) as target:
        while piece := source.read(PIECE):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    if digest.hexdigest() != approved.sha256:  # changed between the check at opening and this read
        raise damaged("an approved file changed while it was packed")
    return size


@contextmanager
def _appears_whole(path: Path) -> Iterator[BufferedRandom]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".building-")
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:  # whatever happened, half a package must not stay
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
