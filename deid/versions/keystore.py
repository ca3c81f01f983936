"""The key store of snapshots: one file for each snapshot, outside its folder, with the wrapped keys of its files.

A data file has a random key of its own (DEK, AES-256), wrapped (RFC 3394) by the snapshot's key (KEK), which is sealed
(AES-256-GCM) by the store's key. The signed manifest names a DEK and never holds it: a signature lasts, and what was
signed could not be destroyed. Destroying a DEK makes its file unreadable in that version; destroying the KEK, the whole
version (deid-tabular.md §6). Who has an older copy of the store *and* the store's key undoes it: keep both apart, and
no backup of the store longer than withdrawals may take to come into force (docs/adr/0032).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from deid.errors import KeyFileError, SnapshotShredded
from deid.manifest import FileEntry, Manifest

FORMAT = "ansim-snapshot-keys/1"
KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 16
SUFFIX = ".keys.json"
PURPOSE = b"ansim snapshot kek\n"


@dataclass(frozen=True)
class FileKey:
    """The key of one data file and the name by which the manifest knows it (hex)."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class SnapshotKeys:
    """The unwrapped keys of one snapshot by id, and which were destroyed, with the day on which that happened."""

    snapshot: str
    keys: Mapping[str, bytes] = field(repr=False)
    shredded: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, entry: FileEntry) -> bytes | None:
        """Return the key of a file, None for one that is not encrypted.

        Raises `SnapshotShredded` when the key was destroyed, `KeyFileError` (`deid.key-lost`) when it is not there.
        """
        if entry.dek is None:
            return None
        if entry.dek in self.shredded:
            raise SnapshotShredded(self.snapshot[:12], (name,))
        if entry.dek not in self.keys:
            raise _problem("lost", Path(name), "이 파일의 키가 키 보관소에 없습니다", "has no key in the key store")
        return self.keys[entry.dek]

    def missing(self, manifest: Manifest) -> tuple[str, ...]:
        """Names of the data files whose keys were destroyed, in order."""
        return tuple(name for name, entry in manifest.files.items() if entry.dek in self.shredded)


@dataclass(frozen=True)
class KeyStore:
    """The folder with the snapshots' wrapped keys, and the 32-byte key that seals it. `random` gives random bytes."""

    folder: Path
    seal: bytes = field(repr=False)
    random: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)

    def new_key(self) -> FileKey:
        """Make a key for one file."""
        return FileKey(self.random(ID_BYTES).hex(), self.random(KEY_BYTES))

    def save(self, snapshot: str, keys: Iterable[FileKey]) -> None:
        """Wrap the keys of a snapshot under a new KEK, on disk before this returns. Raises `OSError`."""
        kek = self.random(KEY_BYTES)
        body = {
            "format": FORMAT,
            "snapshot": snapshot,
            "kek": self._sealed(kek, snapshot),
            "keys": {each.id: _text(aes_key_wrap(kek, each.key)) for each in keys},
            "shredded": {},
        }
        with self._locked():
            self._put(snapshot, body)

    def open(self, snapshot: str) -> SnapshotKeys:
        """Unwrap the keys of a snapshot. Raises `KeyFileError` (`deid.key-missing`, `deid.key-damaged`)."""
        body = self._read(snapshot)
        shredded = {str(name): str(day) for name, day in body["shredded"].items()}
        if body["kek"] is None:
            return SnapshotKeys(snapshot, {}, shredded)
        kek = self._unsealed(str(body["kek"]), snapshot)
        try:
            keys = {str(name): aes_key_unwrap(kek, base64.b64decode(text)) for name, text in body["keys"].items()}
        except (InvalidUnwrap, ValueError) as error:
            raise self._damaged(snapshot) from error
        return SnapshotKeys(snapshot, keys, shredded)

    def of(self, manifest: Manifest) -> SnapshotKeys:
        """Return the keys of this snapshot's files; none are looked for where none is encrypted."""
        if all(entry.dek is None for entry in manifest.files.values()):
            return SnapshotKeys(manifest.id, {})
        return self.open(manifest.id)

    def known(self) -> tuple[str, ...]:
        """Ids of the snapshots that have keys here, sorted."""
        return tuple(sorted(path.name.removesuffix(SUFFIX) for path in self.folder.glob(f"[0-9a-f]*{SUFFIX}")))

    def shred(self, snapshot: str, ids: Iterable[str], *, day: str) -> tuple[str, ...]:
        """Destroy these keys of a snapshot; `day` (ISO 8601) is kept beside their names. Returns what was there.

        Doing it again changes nothing. The old file is overwritten before it is let go of. Raises `KeyFileError`.
        """
        with self._locked():
            body = self._read(snapshot)
            gone = tuple(sorted(set(ids) & set(body["keys"])))
            for name in gone:
                del body["keys"][name]
                body["shredded"][name] = day
            if gone:
                self._put(snapshot, body)
            return gone

    def destroy(self, snapshot: str, *, day: str) -> tuple[str, ...]:
        """Destroy the KEK and every key of a snapshot: the whole version becomes unreadable."""
        with self._locked():
            body = self._read(snapshot)
            gone = tuple(sorted(body["keys"]))
            if body["kek"] is not None:
                shredded = body["shredded"] | dict.fromkeys(gone, day)
                self._put(snapshot, {**body, "kek": None, "keys": {}, "shredded": shredded})
            return gone

    def _path(self, snapshot: str) -> Path:
        return self.folder / f"{snapshot}{SUFFIX}"

    def _read(self, snapshot: str) -> dict[str, Any]:
        path = self._path(snapshot)
        try:
            body = json.loads(path.read_bytes())
        except OSError as error:
            raise _problem("missing", path, "읽을 수 없습니다", "cannot be read") from error
        except ValueError as error:
            raise self._damaged(snapshot) from error
        if not isinstance(body, dict) or (body.get("format"), body.get("snapshot")) != (FORMAT, snapshot):
            raise self._damaged(snapshot)
        return body

    def _put(self, snapshot: str, body: Mapping[str, Any]) -> None:
        """Replace the file as a whole, flushed; then overwrite what stood in the old one."""
        path = self._path(snapshot)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            # Whoever may read snapshots is the folder's group, whatever this process's umask.
            os.fchmod(descriptor, 0o640)
            file.write((json.dumps(body, indent=1) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        old = os.open(path, os.O_RDWR) if path.exists() else None
        try:
            new.replace(path)
            _flush(self.folder)
            if old is not None:
                # The name is gone; its blocks may not be. Of little use on a disk that moves blocks, and harmless.
                os.pwrite(old, bytes(os.fstat(old).st_size), 0)
                os.fsync(old)
        finally:
            if old is not None:
                os.close(old)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _sealed(self, kek: bytes, snapshot: str) -> str:
        nonce = self.random(NONCE_BYTES)
        return _text(nonce + AESGCM(self.seal).encrypt(nonce, kek, PURPOSE + snapshot.encode()))

    def _unsealed(self, text: str, snapshot: str) -> bytes:
        try:
            data = base64.b64decode(text, validate=True)
            return AESGCM(self.seal).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], PURPOSE + snapshot.encode())
        except (InvalidTag, ValueError) as error:
            raise self._damaged(snapshot) from error

    def _damaged(self, snapshot: str) -> KeyFileError:
        return _problem(
            "damaged", self._path(snapshot), "다른 보관소 키로 봉인되었거나 바뀌었습니다",
            "was sealed by another store key, or changed since",
        )  # fmt: skip


def create_seal(path: Path) -> Path:
    """Make the store's key (32 bytes, mode 0600). Raises `FileExistsError`: a key is never replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return path


def open_store(folder: Path, seal: Path) -> KeyStore:
    """Open the store in `folder` (made if it is not there) with the key in file `seal`. Raises `KeyFileError`.

    The key may be read by its group (who reads snapshots), never by others.
    """
    try:
        mode, key = seal.stat().st_mode, seal.read_bytes()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _problem("missing", seal, "읽을 수 없습니다", "cannot be read") from error
    if mode & 0o027:
        raise _problem("open", seal, "다른 사용자가 읽을 수 있습니다", "is open to other users")
    if len(key) != KEY_BYTES:
        raise _problem("length", seal, f"길이가 {KEY_BYTES}바이트가 아닙니다", f"is not {KEY_BYTES} bytes")
    return KeyStore(folder, key)


def no_keys(manifest: Manifest) -> SnapshotKeys:
    """Keys for whoever has no key store: enough for a snapshot without encrypted files, and no other.

    Raises `KeyFileError` (`deid.key-needed`).
    """
    if any(entry.dek is not None for entry in manifest.files.values()):
        raise _problem(
            "needed", Path(manifest.id[:12]), "암호화된 스냅샷이라 키 보관소가 있어야 합니다",
            "is an encrypted snapshot: the key store is needed",
        )  # fmt: skip
    return SnapshotKeys(manifest.id, {})


def keys_of(manifest: Manifest, store: KeyStore | None) -> SnapshotKeys:
    """Return a snapshot's keys from the store, if there is one. Raises `KeyFileError`."""
    return no_keys(manifest) if store is None else store.of(manifest)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _problem(code: str, path: Path, ko: str, en: str) -> KeyFileError:
    return KeyFileError(
        f"deid.key-{code}",
        f"스냅샷 키 {path}: {ko}.",
        f"Snapshot key {path} {en}.",
        remedy_ko="키 보관소와 보관소 키의 위치, 권한을 확인하세요. 파기한 키는 되살릴 수 없습니다.",
        remedy_en="Check the key store, its key and their modes. A key that was destroyed cannot come back.",
    )
