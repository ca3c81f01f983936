"""One file under a key of its own: AES-256-GCM in chunks, so that a large one is written and read in constant memory.

The form is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015), as in age: chunk `i` has the nonce i ‖ last, where `last`
is 1 for the final chunk alone. So a chunk that is swapped, repeated, left out or taken from another file does not
decrypt, and neither does a file that ends early or goes on. A key encrypts one file, once (`keystore.py`), so nonces
may be counted. There is always a final chunk, also of nothing; an earlier one is never shorter than `CHUNK`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"ansim-file/1\n"
CHUNK, TAG = 1 << 20, 16
COUNTER_BYTES = 11


class NotWhole(Exception):  # noqa: N818 - the finding in words
    """What stands there is not what was sealed under this key: changed, cut off, put together anew, or another's."""


def seal(source: BinaryIO, target: Path, key: bytes) -> int:
    """Write what `source` gives, encrypted, to the new file `target`; returns how many bytes that were in plain.

    Raises `OSError`.
    """
    cipher, size = AESGCM(key), 0
    with target.open("xb") as file:
        file.write(MAGIC)
        for number, (chunk, last) in enumerate(_chunks(source)):
            file.write(cipher.encrypt(_nonce(number, last=last), chunk, MAGIC))
            size += len(chunk)
    return size


def unsealed(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield a file's plain bytes, chunk by chunk, each authenticated before it is given.

    Raises `NotWhole` at the first chunk that is not as it was sealed, and at the end of a file that was cut off: what
    came before is then worth nothing. `OSError`.
    """
    cipher = AESGCM(key)
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise NotWhole(path.name)
        for number, (chunk, last) in enumerate(_chunks(file, CHUNK + TAG)):
            try:
                yield cipher.decrypt(_nonce(number, last=last), chunk, MAGIC)
            except InvalidTag as error:
                raise NotWhole(path.name) from error


def plain_size(size: int) -> int:
    """Bytes in plain of a sealed file of so many bytes on the disk."""
    body = max(size - len(MAGIC), TAG)
    return body - TAG * -(-body // (CHUNK + TAG))


def _chunks(file: BinaryIO, size: int = CHUNK) -> Iterator[tuple[bytes, bool]]:
    """Yield stretches of `size` bytes and whether each is the last; one empty one for an empty file."""
    held = file.read(size)
    while True:
        following = file.read(size) if len(held) == size else b""
        yield held, not following
        if not following:
            return
        held = following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(COUNTER_BYTES) + bytes([last])
