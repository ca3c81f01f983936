"""Ed25519 key files of the enclave (plan key, snapshot public key): PEM, as `openssl pkey` reads and writes them."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from enclave.errors import Unavailable


def create_signing_key(path: Path) -> None:
    """Make a key at `path` (PKCS 8, mode 0600) and its public half beside it (`.pub`, mode 0644).

    Raises `FileExistsError` rather than overwrite a key.
    """
    key = Ed25519PrivateKey.generate()
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(path.with_suffix(".pub"), public, 0o644)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key. Raises `Unavailable` (`keys.unreadable`) if the file is not one."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(path)
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key. Raises `Unavailable` (`keys.unreadable`) if the file is not one."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable(path)
    return key


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        "keys.unreadable",
        ko=f"키 파일을 읽을 수 없습니다: {path.name}",
        en=f"The key file cannot be read: {path.name}",
        remedy_ko="운영자에게 알려 주세요. 파일이 있는지, 이 서비스의 사용자가 읽을 수 있는지 확인해야 합니다.",
        remedy_en="Tell an operator: is the file there, and may this service's user read it?",
    )
