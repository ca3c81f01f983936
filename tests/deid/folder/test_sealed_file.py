"""A file in chunks: it comes back as it was, and nothing but what was sealed, whole and in order, comes back."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from deid.versions.sealed_file import CHUNK, MAGIC, TAG, NotWhole, plain_size, seal, unsealed

KEY = bytes(range(32))
SEALED = CHUNK + TAG


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_comes_back_as_it_was(tmp_path: Path, size: int) -> None:
    plain = secrets.token_bytes(size)
    assert seal(io.BytesIO(plain), tmp_path / "sealed", KEY) == size
    assert b"".join(unsealed(tmp_path / "sealed", KEY)) == plain
    assert plain_size((tmp_path / "sealed").stat().st_size) == size


def chunks(data: bytes) -> list[bytes]:
    body = data[len(MAGIC) :]
    return [body[at : at + SEALED] for at in range(0, len(body), SEALED)]


def joined(*parts: bytes) -> bytes:
    return MAGIC + b"".join(parts)


DAMAGES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "two chunks swapped": lambda data, _: joined(*(chunks(data)[at] for at in (1, 0, 2))),
    "a chunk twice": lambda data, _: joined(*(chunks(data)[at] for at in (0, 0, 1, 2))),
    "a chunk left out": lambda data, _: joined(*(chunks(data)[at] for at in (0, 2))),
    "the last chunk cut off": lambda data, _: joined(*chunks(data)[:-1]),
    "cut off inside a chunk": lambda data, _: data[:-7],
    "cut off to its first line": lambda data, _: data[: len(MAGIC)],
    "more behind the end": lambda data, _: data + chunks(data)[2],
    "a chunk of another file": lambda data, other: joined(chunks(data)[0], chunks(other)[1], chunks(data)[2]),
    "another file": lambda _, other: other,
    "a bit turned": lambda data, _: data[:-1] + bytes([data[-1] ^ 1]),
    "in the clear": lambda _, __: b"\0" * 128 + b"DICM",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_and_in_order_does_not_come_back(tmp_path: Path, damage: str) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    seal(io.BytesIO(secrets.token_bytes(2 * CHUNK + 5)), mine, KEY)
    seal(io.BytesIO(secrets.token_bytes(2 * CHUNK + 5)), other, secrets.token_bytes(32))
    mine.write_bytes(DAMAGES[damage](mine.read_bytes(), other.read_bytes()))
    with pytest.raises(NotWhole):
        list(unsealed(mine, KEY))
