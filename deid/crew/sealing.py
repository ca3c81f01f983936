"""Bytes that lie in a shared folder or travel between machines: AES-256-GCM in pieces (NIST SP 800-38D).

Each piece is bound to its place and to whether it is the last, so that none can be left out, moved or added; `name` is
bound to all of them, so that one file cannot stand for another.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 1 << 26
NONCE, TAG = 12, 16


def seal(key: bytes, name: str, data: bytes) -> bytes:
    """Encrypt and authenticate `data` under a key of 32 bytes, as `name`."""
    cipher = AESGCM(key)
    starts = range(0, max(len(data), 1), PIECE)
    found = []
    for start in starts:
        # Nonces are drawn, not counted: several machines write under one key, some a thing twice after one died.
        nonce = os.urandom(NONCE)
        piece = data[start : start + PIECE]
        found.append(nonce + cipher.encrypt(nonce, piece, _bound(name, start, last=start == starts[-1])))
    return b"".join(found)


def unseal(key: bytes, name: str, data: bytes) -> bytes:
    """Return what was sealed as `name`. Raises `cryptography.exceptions.InvalidTag` for anything else."""
    cipher = AESGCM(key)
    whole = NONCE + PIECE + TAG
    starts = range(0, max(len(data), 1), whole)
    found = []
    for turn, start in enumerate(starts):
        piece = data[start : start + whole]
        bound = _bound(name, turn * PIECE, last=start == starts[-1])
        # What is too short to hold a nonce and a tag is refused as a forgery is.
        nonce, body = piece[:NONCE].ljust(NONCE, b"\0"), piece[NONCE:].ljust(TAG, b"\0")
        found.append(cipher.decrypt(nonce, body, bound))
    return b"".join(found)


def put(path: Path, key: bytes, data: bytes) -> None:
    """Seal `data` into a file (0600), under its own name; there is never half a file of that name."""
    unfinished = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(seal(key, path.name, data))
    unfinished.replace(path)


def get(path: Path, key: bytes) -> bytes:
    """Return what was put into a file. Raises `OSError`, `InvalidTag`."""
    return unseal(key, path.name, path.read_bytes())


def _bound(name: str, start: int, *, last: bool) -> bytes:
    return f"{name}\0{start}\0{int(last)}".encode()
