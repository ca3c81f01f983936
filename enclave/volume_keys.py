"""Keys of volumes: how they are made, and the public name by which the kernel and a certificate speak of one. Pure."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Twice 256 bits, as AES-256-XTS wants them.
KEY_BYTES = 64
ID_BYTES = 16


def fresh_key() -> bytes:
    """Return a new key."""
    return secrets.token_bytes(KEY_BYTES)


def identifier(key: bytes) -> bytes:
    """Return the public name of a key, as the kernel derives it (fscrypt, policy version 2); it tells nothing of it."""
    return HKDF(hashes.SHA512(), ID_BYTES, None, b"fscrypt\x00\x01").derive(key)
