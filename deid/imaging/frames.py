"""Encapsulated pixel data (PS3.5 Annex A.4) as frames, and back: one fragment a frame, a new table of offsets."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from deid.imaging.streams.jpeg import damaged

ITEM = b"\xfe\xff\x00\xe0"
STARTS = (b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0cjP")


def frames(value: memoryview | bytes, number: int) -> list[bytes]:
    """Split fragments into `number` frames. Raises `Refused` where they cannot be told apart."""
    table, fragments = _items(memoryview(value))
    if number == 1:
        return [b"".join(each for _, each in fragments)]
    if len(fragments) == number:
        return [bytes(each) for _, each in fragments]
    starts = set(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))
    if len(starts) != number:
        starts = {offset for offset, each in fragments if bytes(each[:6]).startswith(STARTS)}
    if len(starts) != number or 0 not in starts:
        raise damaged("multi-frame")
    found: list[list[memoryview]] = []
    for offset, each in fragments:
        if offset in starts:
            found.append([])
        found[-1].append(each)
    return [b"".join(each) for each in found]


def encapsulated(made: Sequence[bytes]) -> bytes:
    """Join frames: the offset table (empty for one frame), then each as one fragment of even length."""
    offsets, position, parts = [], 0, []
    for frame in made:
        odd = len(frame) % 2
        offsets.append(position)
        parts += [ITEM, struct.pack("<I", len(frame) + odd), frame, b"\0" * odd]
        position += 8 + len(frame) + odd
    table = struct.pack(f"<{len(offsets)}I", *offsets) if len(made) > 1 and position < 1 << 32 else b""
    return b"".join([ITEM, struct.pack("<I", len(table)), table, *parts])


def _items(value: memoryview) -> tuple[bytes, list[tuple[int, memoryview]]]:
    """Give the offset table, and the fragments with their offsets as that table counts them."""
    position, found = 0, []
    while position + 8 <= len(value):
        length: int = struct.unpack_from("<I", value, position + 4)[0]
        found.append((position, value[position + 8 : position + 8 + length]))
        position += 8 + length
    if not found:
        raise damaged("empty")
    first = found[0][1]
    base = 8 + len(first)
    return bytes(first), [(offset - base, each) for offset, each in found[1:]]
