"""Encryption of a release at rest: AES-256-GCM over chunks of 1 MiB, in the STREAM construction.

Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (CRYPTO
2015), as age's v1 format uses it: the nonce of a chunk is its number (11 bytes) and whether it is the last (1 byte), so
that cutting, reordering, repeating or appending is found. The file key is HKDF-SHA256 of the release's key and a fresh
salt in the header, so that building a release a second time never repeats a nonce under one key. The header is
authenticated with every chunk::

    ansim-release/1
    {"algorithm":"AES-256-GCM","chunk":1048576,"key_id":"…","salt":"<64 hex digits>"}
    <chunk><chunk>…          each: up to 1 MiB encrypted, then a tag of 16 bytes
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enclave.airlock.errors import PackageDamaged

MAGIC = b"ansim-release/1\n"
ALGORITHM = "AES-256-GCM"
CHUNK, TAG, KEY_BYTES, SALT_BYTES = 1 << 20, 16, 32, 32
MAX_HEADER = 1024


@dataclass(frozen=True)
class Header:
    """How a package is encrypted: with which key (by its id, never the key itself) and which salt."""

    key_id: str
    salt: bytes

    def encode(self) -> bytes:
        """Return the header's one and only spelling."""
        fields = {"algorithm": ALGORITHM, "chunk": CHUNK, "key_id": self.key_id, "salt": self.salt.hex()}
        return MAGIC + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True)
class ReleaseKey:
    """The key of one release: 32 bytes, and the id under which its keeper finds it again."""

    id: str
    secret: bytes = field(repr=False)


class Encrypter:
    """A write-only stream that encrypts into ``out``; `close` writes the last chunk (``out`` stays open)."""

    def __init__(self, out: BinaryIO, key: ReleaseKey) -> None:
        header = Header(key.id, secrets.token_bytes(SALT_BYTES)).encode()
        if len(header) > MAX_HEADER:
            raise ValueError("the key id is too long")
        self._cipher = _cipher(key.secret, read_header_bytes(header).salt)
        self._out, self._header, self._held, self._number = out, header, bytearray(), 0
        out.write(header)

    def write(self, piece: bytes) -> int:
        """Take plain bytes; whole chunks go out at once."""
        self._held += piece
        # The last full chunk is held back: only `close` knows whether it is the last.
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(piece)

    def flush(self) -> None:
        """Do nothing: a chunk goes out when it is full."""

    def close(self) -> None:
        """Write the last chunk. A package without it does not open."""
        self._put(bytes(self._held), last=True)
        self._held.clear()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, self._header))
        self._number += 1


def read_header(source: BinaryIO) -> Header:
    """Read the header from the start of a package; the stream then stands at its first chunk.

    Raises `PackageDamaged` for anything that `Header.encode` would not write.
    """
    line = source.readline(MAX_HEADER)
    return read_header_bytes(line + source.readline(MAX_HEADER))


def read_header_bytes(raw: bytes) -> Header:
    """Read a header given whole. Raises `PackageDamaged`."""
    try:
        fields = json.loads(raw.removeprefix(MAGIC))
        header = Header(str(fields["key_id"]), bytes.fromhex(fields["salt"]))
    except (ValueError, TypeError, KeyError):
        raise damaged("the header is not one of ours") from None
    if header.encode() != raw or len(header.salt) != SALT_BYTES:
        raise damaged("the header is not in its one spelling")
    return header


def decrypt(source: BinaryIO, key: bytes) -> Iterator[bytes]:
    """Yield the plain bytes chunk by chunk, each authenticated before it is yielded.

    A package cut at its end is only found at its end: whoever passes the chunks on must break the transfer off when
    this raises `PackageDamaged`.
    """
    header = read_header(source)
    cipher, raw = _cipher(key, header.salt), header.encode()
    chunk = source.read(CHUNK + TAG)
    number = 0
    while True:
        following = source.read(CHUNK + TAG)
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), chunk, raw)
        except InvalidTag:
            raise damaged(f"chunk {number} does not open with this key") from None
        yield plain
        if not following:
            return
        chunk, number = following, number + 1


def damaged(what: str) -> PackageDamaged:
    """Return the error for a package that does not open."""
    return PackageDamaged(
        "release.damaged",
        ko=f"반출 꾸러미가 손상되었거나 다른 키로 잠겨 있습니다({what}).",
        en=f"The release package is damaged or locked with another key ({what}).",
        remedy_ko="전달하지 말고 운영자에게 알리세요. 검역 보관소의 원본으로 다시 만들 수 있습니다.",
        remedy_en="Do not hand it over; tell the operator. It can be built again from quarantine.",
    )


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a release key has {KEY_BYTES} bytes, not {len(key)}")
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, MAGIC).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
