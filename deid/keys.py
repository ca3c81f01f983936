"""Keys of this room: a master secret for pseudonyms and shifts, an Ed25519 key that signs, a store of snapshots' keys.

The master never touches data. From it HKDF-SHA256 (RFC 5869) derives one key per purpose, data set, column domain and
project (추가정보의 과제별 분리), so that pseudonyms of one data set cannot be joined with those of another, nor patient
numbers with chart numbers, nor what one project was given with what another was. A run for the catalogue is for no
project: a namespace of its own. Pseudonyms are stable across versions of a data set as long as the master's generation
stays; generations are made and destroyed in `generations.py`.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from deid.errors import KeyFileError
from deid.versions.keystore import KeyStore

MASTER, SEAL, STORE = "master.key", "seal.key", "snapshots"
MASTER_BYTES = 32
SALT = b"ansim deid v1"
PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class Derives(Protocol):
    """Whoever can derive keys: this room, or a worker of it on another machine, which signs nothing."""

    def derive(self, purpose: str, scope: str, domain: str) -> bytes:
        """See `Keys.derive`."""


@dataclass(frozen=True)
class WorkerKeys:
    """What a worker on another machine holds: the master of one generation, for the project a run is for."""

    master: bytes = field(repr=False)
    project: str = ""

    def derive(self, purpose: str, scope: str, domain: str) -> bytes:
        """See `Keys.derive`."""
        return derived(self.master, self.project, purpose, scope, domain)


@dataclass(frozen=True)
class Keys:
    """What a run needs: the 32-byte master, the signing key and the key store. Never printed, never in an output.

    `project` is the project the run is for, "" for the catalogue; `generation` says which master this is.
    """

    master: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)
    generation: int = 1
    project: str = ""
    store: KeyStore | None = field(default=None, repr=False)

    @property
    def storage(self) -> KeyStore:
        """The key store. Raises `KeyFileError` (`deid.key-missing`) without one: nothing is written in the clear."""
        if self.store is None:
            raise _problem("missing", Path(STORE), "키 보관소가 주어지지 않았습니다", "no key store was given")
        return self.store

    def derive(self, purpose: str, scope: str, domain: str) -> bytes:
        """32 bytes for one purpose (`pseudonym`, `date-shift`), data set and column domain, in this run's project."""
        return derived(self.master, self.project, purpose, scope, domain)

    def for_project(self, project: str) -> Keys:
        """Give the keys of one project. Raises `KeyFileError` for what is no id of a project."""
        if not PROJECT.fullmatch(project):
            raise KeyFileError(
                "deid.key-project",
                "과제 번호는 영문, 숫자, -, _, . 로 64자까지입니다.",
                "A project id is up to 64 letters, digits, -, _ and dots.",
                remedy_ko="--project에 과제 번호를 그대로 쓰세요.",
                remedy_en="Give the project's id in --project as it is.",
            )
        return replace(self, project=project)

    @property
    def id(self) -> str:
        """Name of the master's generation for manifests: 16 hex digits that say nothing about the master."""
        return key_id(self.master)

    def plain(self) -> dict[str, str | int]:
        """Say in plain values which keys these are, for the manifest: never the keys themselves."""
        return {"id": self.id, "generation": self.generation, "project": self.project}


def derived(master: bytes, project: str, *scopes: str) -> bytes:
    """Derive 32 bytes from a master, for one project ("": none) and these scopes."""
    parts = (*scopes, *(("project", project) if project else ()))
    # Lengths make the label unambiguous: ("a", "bc") and ("ab", "c") must never meet.
    label = "".join(f"{len(part)}:{part}" for part in parts)
    return HKDF(SHA256(), 32, SALT, label.encode("utf-8")).derive(master)


def key_id(master: bytes) -> str:
    """Return the name of a master's generation: 16 hex digits, derived and not reversible."""
    return HKDF(SHA256(), 8, SALT, b"key id").derive(master).hex()


def load(folder: Path, signing_key: Path, generation: int | None = None) -> Keys:
    """Read the signing key (PEM) and the newest master in `folder`, or that of `generation`. Raises `KeyFileError`."""
    number, path = find_generation(folder, generation)
    return Keys(read_master(path), load_signing(signing_key), number)


def master_path(folder: Path, generation: int) -> Path:
    """Name the file of a generation: `master.key` is the first, `master-0002.key` the second."""
    return folder / (MASTER if generation == 1 else f"master-{generation:04d}.key")


def generation_files(folder: Path) -> dict[int, Path]:
    """Find the files of all generations, oldest first; an empty file stands for one that was destroyed."""
    found = {1: folder / MASTER} if (folder / MASTER).exists() else {}
    for path in folder.glob("master-[0-9][0-9][0-9][0-9].key"):
        found[int(path.stem.partition("-")[2])] = path
    return dict(sorted(found.items()))


def find_generation(folder: Path, generation: int | None) -> tuple[int, Path]:
    """Return number and file of a generation, the newest if none is named. Raises `KeyFileError` if it is not there."""
    files = generation_files(folder)
    number = generation if generation is not None else max(files, default=1)
    path = files.get(number, master_path(folder, number))
    if path.exists() and not path.stat().st_size:
        raise _problem("destroyed", path, "파기된 세대입니다", "was destroyed: a generation that is gone")
    return number, path


def read_master(path: Path) -> bytes:
    """Read a master, 32 bytes. Raises `KeyFileError`."""
    master = read_private(path)
    if len(master) != MASTER_BYTES:
        raise _problem("length", path, f"길이가 {MASTER_BYTES}바이트가 아닙니다", f"is not {MASTER_BYTES} bytes")
    return master


def load_signing(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 private key (PEM, PKCS#8). Raises `KeyFileError`."""
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError) as error:
        raise _problem("format", path, "PEM 형식의 개인키가 아닙니다", "is not a private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _problem("kind", path, "Ed25519 키가 아닙니다", "is not an Ed25519 key")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """Read an Ed25519 public key (PEM). Raises `KeyFileError`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise _problem("missing", path, "읽을 수 없습니다", "cannot be read") from error
    except ValueError as error:
        raise _problem("format", path, "PEM 형식의 공개키가 아닙니다", "is not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _problem("kind", path, "Ed25519 키가 아닙니다", "is not an Ed25519 key")
    return key


def create_master(folder: Path) -> Path:
    """Make `folder/master.key` (0600) from the system's randomness. `FileExistsError`: never replaced."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return write_master(folder / MASTER)


def write_master(path: Path) -> Path:
    """Make a new master at `path` (0600) from the system's randomness. Raises `FileExistsError`."""
    return _write_private(path, secrets.token_bytes(MASTER_BYTES))


def create_signing(path: Path) -> Path:
    """Make an Ed25519 signing key at `path` (0600) and its public half at `path` + `.pub`. Raises `FileExistsError`."""
    key = Ed25519PrivateKey.generate()
    _write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = path.with_name(path.name + ".pub")
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def read_private(path: Path) -> bytes:
    """Read a file that only its owner can (0600). Raises `KeyFileError`."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise _problem("missing", path, "읽을 수 없습니다", "cannot be read") from error
    if stat.S_IMODE(mode) & 0o077:
        raise _problem(
            "open", path, "다른 사용자가 읽을 수 있습니다(0600이어야 함)", "is readable by others (must be 0600)"
        )
    return data


def _write_private(path: Path, data: bytes) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return path


def _problem(code: str, path: Path, ko: str, en: str) -> KeyFileError:
    return KeyFileError(
        f"deid.key-{code}",
        f"키 파일 {path}: {ko}.",
        f"Key file {path} {en}.",
        remedy_ko="키 폴더와 권한을 확인하세요. 잃어버린 키는 새로 만들 수 없으니 보관본에서 되살리세요.",
        remedy_en="Check the key folder and permissions. A lost key cannot be made again: restore it from the safe.",
    )
