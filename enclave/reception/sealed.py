"""The store of what came in: raw objects by their digest, each whole or not there, and what could not be read apart.

An object is confirmed to its sender only when its bytes and its name are on the disk. A name is the SHA-256 of the
bytes, so that what is sent twice is kept once and no name of a person is in a path.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deid.folder.format import Refused
from deid.imaging.read import read

INCOMING, QUARANTINE, OPEN = ".incoming", ".quarantine", ".open"
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
        for each in (self.folder, self.incoming, self.folder / QUARANTINE, self.open):
            each.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            each.chmod(PRIVATE)
        for left in self.incoming.iterdir():
            left.unlink()

    @property
    def incoming(self) -> Path:
        """Where objects lie while they come in."""
        return self.folder / INCOMING

    @property
    def open(self) -> Path:
        """Where the receptions stand that are not over, a file each."""
        return self.folder / OPEN

    def keep(self, arrived: Path) -> Kept:
        """Keep an object for good that lies in the folder of what comes in, or put it apart with the reason.

        Reads it where it lies: memory does not grow with it. Raises OSError when the disk does not take it.
        """
        with arrived.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            words = _unreadable(file.fileno())
        place = self.folder / digest[:2] / f"{digest}.dcm"
        if words:
            place = self.folder / QUARANTINE / f"{digest}.dcm"
            self._write(place.with_suffix(".json"), json.dumps(words, ensure_ascii=False).encode())
        known = place.exists()
        if known:
            arrived.unlink()
        else:
            self._move(arrived, place)
        return Kept(digest, known, words.get("code", ""))

    def _write(self, place: Path, data: bytes) -> None:
        fresh = self.folder / INCOMING / secrets.token_hex(16)
        try:
            fresh.write_bytes(data)
            self._move(fresh, place)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _move(self, fresh: Path, place: Path) -> None:
        place.parent.mkdir(mode=PRIVATE, exist_ok=True)
        _sync(fresh)
        fresh.replace(place)
        for folder in (place.parent, self.folder):
            _sync(folder)


def _unreadable(handle: int) -> dict[str, str]:
    """Say why an object cannot be read; nothing if it can."""
    try:
        # Not closed by hand: what was read of it may still be looked at by an error on its way.
        read(memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ)))
    except ValueError:  # an empty file cannot be mapped
        return {"code": "imaging.unreadable", "ko": "DICOM 파일이 비었습니다.", "en": "is an empty DICOM file."}
    except Refused as refusal:
        return {"code": refusal.code, "ko": refusal.ko, "en": refusal.en}
    return {}


def _sync(path: Path) -> None:
    # Folders too: a file's name is in its folder, and a power cut may forget it although its bytes are there.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
