"""Keys of this room: one master secret for pseudonyms and date shifts, one Ed25519 key that signs snapshots.

The master never touches data. From it HKDF-SHA256 (RFC 5869) derives one key per data set and column domain, so that
pseudonyms of one data set cannot be joined with those of another, nor patient numbers with chart numbers.
Pseudonyms are stable across versions of a data set as long as the master stays.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

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

MASTER = "master.key"
MASTER_BYTES = 32
SALT = b"ansim deid v1"


@dataclass(frozen=True)
class Keys:
    """What a run needs: the 32-byte master and the signing key. Never printed, never written to an output."""

    master: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)

    def derive(self, purpose: str, scope: str, domain: str) -> bytes:
        """32 bytes for one purpose (`pseudonym`, `date-shift`), data set and column domain."""
        # Lengths make the label unambiguous: ("a", "bc") and ("ab", "c") must never meet.
        label = "".join(f"{len(part)}:{part}" for part in (purpose, scope, domain))
        return HKDF(SHA256(), 32, SALT, label.encode("utf-8")).derive(self.master)


def load(folder: Path, signing_key: Path) -> Keys:
    """Read `folder/master.key` and the signing key (PEM). Raises `KeyFileError`."""
    master = _read_private(folder / MASTER)
    if len(master) != MASTER_BYTES:
        raise _problem(
            "length", folder / MASTER, f"길이가 {MASTER_BYTES}바이트가 아닙니다", f"is not {MASTER_BYTES} bytes"
        )
    return Keys(master, load_signing(signing_key))


def load_signing(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 private key (PEM, PKCS#8). Raises `KeyFileError`."""
    try:
        key = load_pem_private_key(_read_private(path), password=None)
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
    return _write_private(folder / MASTER, secrets.token_bytes(MASTER_BYTES))


def create_signing(path: Path) -> Path:
    """Make an Ed25519 signing key at `path` (0600) and its public half at `path` + `.pub`. Raises `FileExistsError`."""
    key = Ed25519PrivateKey.generate()
    _write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = path.with_name(path.name + ".pub")
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def _read_private(path: Path) -> bytes:
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
