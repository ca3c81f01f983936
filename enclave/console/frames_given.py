"""What `ansim snapshot receive` is given for a sample of frames: the private folder of the run, and its source.

All of it is the hospital's own and closed to the service, so it is read as root while the command itself is the
service's. Source files are opened one folder after the other and never through a link: a name in the private file leads
nowhere but below the source folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid import snapshot as snapshots
from deid.errors import DeidError
from deid.frame_cases import FILE
from deid.versions.held import HeldFile, held_files
from deid.versions.keystore import keys_of
from enclave.commands.frame_drawing import SealedFrames
from enclave.console.borrowed import as_root
from enclave.settings import Settings
from enclave.snapshot_keys import store_of
from enclave.vault import Vault

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class GivenFrames:
    """The private folder of a run, its source folder, and the held files of its snapshot by name."""

    private: Path
    source: Path
    held: dict[str, HeldFile]

    def cases(self) -> BufferedReader | None:
        """Open the private file of cases; None where there is none."""
        with as_root(), suppress(FileNotFoundError):
            return (self.private / FILE).open("rb")
        return None

    def opened(self, name: str) -> BufferedReader:
        """Open a source file. Raises `OSError`, also for a name that leads out of the source or through a link."""
        with as_root():
            return beneath(self.source, name)

    def written(self, name: str) -> Iterator[bytes]:
        """Yield a held file in plain. Raises `KeyError`, or `OSError` where it is damaged."""
        chunks = self.held[name].chunks()
        while True:
            try:
                with as_root():
                    chunk = next(chunks, b"")
            except DeidError as error:
                raise OSError(error.code) from error
            if not chunk:
                return
            yield chunk


def given_frames(
    private: Path, source: Path, place: Path, key: Ed25519PublicKey, settings: Settings
) -> SealedFrames | None:
    """Make ready what a sample is drawn and shown from; None for a snapshot that cannot be read (it is refused then).

    The seed is drawn here, after the run is over: nobody could have built a snapshot to fit it.
    """
    try:
        manifest = snapshots.read_manifest(place, key)
        held = held_files(place, manifest, keys_of(manifest, store_of(settings)))
    except DeidError:
        return None
    given = GivenFrames(private, source.resolve(), {each.name: each for each in held})
    return SealedFrames(given.cases, given.opened, given.written, Vault.load(settings.vault_key), token_hex(16))


def beneath(folder: Path, name: str) -> BufferedReader:
    """Open a regular file below a folder, by a relative path without links in it. Raises `OSError`."""
    parts = name.split("/")
    if not all(part not in {"", ".", ".."} for part in parts) or "\0" in name:
        raise FileNotFoundError(name)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        # Not to wait for a pipe that nobody writes to.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        file = os.fdopen(os.open(parts[-1], flags, dir_fd=at), "rb")
    finally:
        os.close(at)
    if not Path(f"/proc/self/fd/{file.fileno()}").is_file():
        file.close()
        raise FileNotFoundError(name)
    return file
