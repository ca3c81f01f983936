"""Writing and verifying snapshots: an immutable folder, a manifest, an Ed25519 signature (RFC 8032).

A snapshot appears by one rename or not at all: files are written into a hidden folder beside it, flushed to disk, and
only then renamed to the manifest's id. A half-written folder left by a killed process is swept away by the next run.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deid.errors import OutputError, SnapshotDamaged
from deid.manifest import FileEntry, Manifest, dump, parse
from deid.versions.keystore import FileKey, KeyStore

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
# Domain separation: this key's signature over other bytes can never pass for a snapshot's.
CONTEXT = b"ansim snapshot manifest v1\n"
UNFINISHED = ".unfinished-"
CHUNK = 1 << 20
HASHED_AT_A_TIME, FLUSHED_AT_A_TIME = 2, 8
SIGNATURE_LINE = re.compile(rb"ed25519 [A-Za-z0-9+/]{86}==\n")


@dataclass(frozen=True)
class Sealed:
    """The encrypted files of a snapshot: what the manifest says of each, their keys, and where those are kept."""

    store: KeyStore
    about: Mapping[str, FileEntry]
    keys: tuple[FileKey, ...]


@contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """Give an empty hidden folder in `out` (mode 0700) and remove whatever is left of it at the end, come what may.

    Raises `OutputError` when `out` cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=out))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise output_problem(out, error) from error
    try:
        # The lock is on the folder itself: it ends with the process, and then the next run may sweep.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)
        os.close(lock)


def output_problem(out: Path, error: OSError) -> OutputError:
    """Say that writing to `out` failed, and why the system says so."""
    return OutputError(
        "deid.output",
        f"{out}에 쓸 수 없습니다({error.strerror}). 아무것도 공개되지 않았습니다.",
        f"Cannot write to {out} ({error.strerror}). Nothing was published.",
        remedy_ko="디스크 공간과 폴더 권한을 확인한 뒤 같은 명령을 다시 실행하세요.",
        remedy_en="Check disk space and the folder's permissions, then run the same command again.",
    )


def publish(
    folder: Path, out: Path, manifest: Manifest, key: Ed25519PrivateKey, sealed: Sealed | None = None
) -> tuple[Path, Manifest]:
    """Hash every file of `folder`, sign, keep the encrypted ones' keys, make read-only, flush, rename to `out/<id>`.

    The given manifest's `id` and `files` are filled in here. Returns the published folder and the signed manifest. The
    keys are on disk before the folder has its name: a run that is killed between leaves keys of nothing. Where the very
    same snapshot is there already, it stays as it is, with its keys as they are now (some may have been destroyed).
    Raises `OutputError` (`deid.snapshot-exists`) when what is there is not that snapshot; `OSError`.
    """
    about = sealed.about if sealed else {}
    names = _walk(folder)
    with ThreadPoolExecutor(HASHED_AT_A_TIME) as pool:
        entries = dict(zip(names, pool.map(lambda name: _entry(folder / name, about.get(name)), names), strict=True))
    signed = replace(manifest, files=entries)
    identity, data = dump(signed)
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(_sign(data, key))
    files = [folder / name for name in _walk(folder)]
    for path in files:
        path.chmod(0o444)
    # Together: the disk's journal is then written a few times and not once for each file.
    with ThreadPoolExecutor(FLUSHED_AT_A_TIME) as pool:
        list(pool.map(_flush, files))
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        path.chmod(0o755)
        _flush(path)
    folder.chmod(0o755)
    _flush(folder)
    target, done = out / identity, replace(signed, id=identity)
    if _is_there(target, key.public_key()):
        return target, done
    if sealed:
        sealed.store.save(identity, sealed.keys)
    try:
        folder.rename(target)
    except OSError as error:
        # Another run made the same one meanwhile.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or not _is_there(target, key.public_key()):
            raise
    _flush(out)
    return target, done


def _is_there(target: Path, public_key: Ed25519PublicKey) -> bool:
    """Say whether the snapshot of this name stands there whole. An empty folder is nothing: a rename takes its place.

    Raises `OutputError` (`deid.snapshot-exists`) for anything else under its name.
    """
    if not target.exists() or not any(target.iterdir()):
        return False
    try:
        verify(target, public_key)
    except SnapshotDamaged as error:
        raise OutputError(
            "deid.snapshot-exists",
            f"{target}에 같은 이름의 폴더가 있고 서명된 것과 다릅니다({error.ko}). 아무것도 바꾸지 않았습니다.",
            f"{target} is there already and is not what was signed ({error.en}). Nothing was changed.",
            remedy_ko="그 폴더를 다른 곳으로 옮겨 살펴본 뒤 같은 명령을 다시 실행하세요.",
            remedy_en="Move that folder aside, look into it, and run the same command again.",
        ) from error
    return True


def verify(folder: Path, public_key: Ed25519PublicKey) -> Manifest:
    """Check signature, name, every file's hash, and that nothing is missing, extra or a link.

    Returns the manifest. Raises `SnapshotDamaged` naming the first file that is wrong.
    """
    manifest = read_manifest(folder, public_key)
    if folder.name != manifest.id:
        raise _damaged(folder, MANIFEST, "폴더 이름이 매니페스트의 해시와 다릅니다.", "folder name is not its hash.")
    expected = {*manifest.files, MANIFEST, SIGNATURE}
    present = set(_walk(folder))
    for name in sorted(expected ^ present):
        if name in expected:
            raise _damaged(folder, name, "파일이 없습니다.", "the file is missing.")
        raise _damaged(folder, name, "서명되지 않은 파일이 있습니다.", "a file that was not signed.")
    for name, entry in manifest.files.items():
        path = folder / name
        if path.stat().st_size != entry.bytes or sha256_of(path) != entry.sha256:
            raise _damaged(folder, name, "내용이 서명된 것과 다릅니다.", "its bytes are not those that were signed.")
    return manifest


def read_manifest(folder: Path, public_key: Ed25519PublicKey) -> Manifest:
    """Read the manifest if its signature is right; data files are not touched. Raises `SnapshotDamaged`."""
    data, signature = (_read_plain(folder, name) for name in (MANIFEST, SIGNATURE))
    if not SIGNATURE_LINE.fullmatch(signature):
        raise _damaged(folder, SIGNATURE, "서명 형식이 아닙니다.", "not in the form of a signature.")
    raw = base64.b64decode(signature[8:-1], validate=True)
    if base64.b64encode(raw) != signature[8:-1]:
        # The last base64 character carries four unused bits: only one spelling is accepted.
        raise _damaged(folder, SIGNATURE, "서명 표기가 표준이 아닙니다.", "the signature is not in canonical form.")
    try:
        public_key.verify(raw, CONTEXT + data)
    except InvalidSignature as error:
        raise _damaged(folder, MANIFEST, "서명이 맞지 않습니다.", "the signature does not match.") from error
    try:
        return parse(data)
    except ValueError as error:
        raise _damaged(folder, MANIFEST, "형식이 올바르지 않습니다.", f"malformed: {error}.") from error


def _entry(path: Path, about: FileEntry | None) -> FileEntry:
    return replace(about or FileEntry("", 0), sha256=sha256_of(path), bytes=path.stat().st_size)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hex, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sign(data: bytes, key: Ed25519PrivateKey) -> bytes:
    return b"ed25519 " + base64.b64encode(key.sign(CONTEXT + data)) + b"\n"


def _read_plain(folder: Path, name: str) -> bytes:
    """Read a regular file, refusing a link in its place."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise _damaged(folder, name, "읽을 수 없습니다.", f"cannot be read ({error.strerror}).") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _damaged(folder, name, "일반 파일이 아닙니다.", "not a regular file.")
        return file.read()


def _walk(folder: Path) -> list[str]:
    """Relative names of all files, sorted. Raises `SnapshotDamaged` for anything but plain files and folders."""
    names = []
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        name = str(path.relative_to(folder))
        if stat.S_ISREG(mode):
            names.append(name)
        elif not stat.S_ISDIR(mode):
            raise _damaged(folder, name, "일반 파일이 아닙니다.", "neither a plain file nor a folder.")
    return names


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(out: Path) -> None:
    """Remove folders that a killed run left behind: those whose lock nobody holds."""
    for folder in out.glob(UNFINISHED + "*"):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)


def _damaged(folder: Path, name: str, ko: str, en: str) -> SnapshotDamaged:
    return SnapshotDamaged(folder.name[:12], name, (ko, en))
