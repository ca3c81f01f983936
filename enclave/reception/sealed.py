"""The store of what came in: raw objects by their digest, each whole or not there, and what could not be read apart.

An object is confirmed to its sender only when its bytes and its name are on the disk. A name is the SHA-256 of the
bytes, so that what is sent twice is kept once and no name of a person is in a path.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deid.folder.format import Refused
from deid.imaging.read import read

INCOMING, QUARANTINE = ".incoming", ".quarantine"
PRIVATE = 0o700


@dataclass(frozen=True)
class Kept:
    """What became of an object: its digest (hex), whether it was there already, and why it is in quarantine ("")."""

    digest: str
    known: bool
    reason: str = ""


@dataclass(frozen=True)
class SealedStore:
    """One folder that only its owner can enter. It lies on a disk that no workspace's plan can name."""

    folder: Path

    def prepare(self) -> None:
        """Make the folders, and remove what was half received when a process was killed. Raises OSError."""
        for each in (self.folder, self.folder / INCOMING, self.folder / QUARANTINE):
            each.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            each.chmod(PRIVATE)
        for left in (self.folder / INCOMING).iterdir():
            left.unlink()

    def keep(self, data: bytes) -> Kept:
        """Keep an object for good, or put it apart with the reason. Raises OSError when the disk does not take it."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            read(data)
        except Refused as refusal:
            place, reason = self.folder / QUARANTINE / f"{digest}.dcm", refusal.code
            words = {"code": refusal.code, "ko": refusal.ko, "en": refusal.en}
            self._write(place.with_suffix(".json"), json.dumps(words, ensure_ascii=False).encode())
        else:
            place, reason = self.folder / digest[:2] / f"{digest}.dcm", ""
        known = place.exists()
        if not known:
            self._write(place, data)
        return Kept(digest, known, reason)

    def _write(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(mode=PRIVATE, exist_ok=True)
        fresh = self.folder / INCOMING / secrets.token_hex(16)
        try:
            with fresh.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(place)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        for folder in (place.parent, self.folder):
            _sync(folder)


def _sync(folder: Path) -> None:
    # A file's name is in its folder: without this a power cut may forget it although its bytes are there.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
