"""Sealing of small secrets at rest: TOTP secrets and release keys, under one key file of the portal's user.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The purpose (`totp:<account>`, `release:<id>`) is bound as
associated data, so that a sealed value cannot be moved to another row. At most 2^32 seals per key are safe; a
programme makes a few thousand a year.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.errors import Unavailable

MAGIC = b"ansim-seal-1\n"
KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Seals and opens with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise _damaged("the key has not 32 bytes")
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, path: Path) -> Vault:
        """Read the key file. Raises `Unavailable` (`vault.damaged`) if it is missing, malformed or open to others."""
        try:
            if path.stat().st_mode & 0o077:
                raise _damaged(f"{path.name} is readable by others")
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            raise _damaged(f"{path.name}: {error}") from error

    @classmethod
    def create(cls, path: Path) -> Vault:
        """Make a new key file (mode 0600) and return its vault; an existing file is never overwritten."""
        key = secrets.token_bytes(KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(descriptor)
        return cls(key)

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Return the sealed bytes: a magic line, the nonce, the ciphertext with its tag (adds 41 bytes)."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return MAGIC + nonce + self._cipher.encrypt(nonce, plain, MAGIC + purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Return what was sealed for this purpose. Raises `Unavailable` (`vault.damaged`) for anything else."""
        head = len(MAGIC) + NONCE_BYTES
        if not sealed.startswith(MAGIC) or len(sealed) < head:
            raise _damaged("not a sealed value")
        try:
            return self._cipher.decrypt(sealed[len(MAGIC) : head], sealed[head:], MAGIC + purpose.encode())
        except InvalidTag as error:
            raise _damaged("sealed with another key, for another purpose, or changed since") from error


def _damaged(what: str) -> Unavailable:
    return Unavailable(
        "vault.damaged",
        ko=f"보관된 비밀값을 열 수 없습니다: {what}",
        en=f"A sealed secret cannot be opened: {what}",
        remedy_ko="운영자에게 알려 주세요. 키 파일(keys/vault.key)과 권한을 확인해야 합니다.",
        remedy_en="Tell an operator: the key file (keys/vault.key) and its mode need checking.",
    )
