"""RLE frames (PS3.5 Annex G), cut to what their runs need: between and behind segments a text could hide."""

from __future__ import annotations

import struct

from deid.imaging.streams.jpeg import damaged

HEADER, MOST_SEGMENTS, NOTHING = 64, 15, 128


def stripped(data: bytes, pixels: int) -> bytes:
    """Return the frame with exact segments; `pixels` is rows times columns. Raises `Refused` for a damaged one."""
    if len(data) < HEADER:
        raise damaged("RLE")
    count, *offsets = struct.unpack_from("<16I", data)
    if not 1 <= count <= MOST_SEGMENTS:
        raise damaged("RLE")
    ends = [*offsets[1:count], len(data)]
    segments = [_cut(data[start:end], pixels) for start, end in zip(offsets[:count], ends, strict=True)]
    position, places = HEADER, []
    for segment in segments:
        places.append(position)
        position += len(segment)
    places += [0] * (MOST_SEGMENTS - count)
    return struct.pack("<16I", count, *places) + b"".join(segments)


def _cut(segment: bytes, pixels: int) -> bytes:
    """Walk the runs until every pixel is there; make the length even."""
    position, made, size, last = 0, 0, len(segment), 0
    while made < pixels:
        if position >= size:
            raise damaged("RLE")
        last, control = position, segment[position]
        if control < NOTHING:
            made += control + 1
            position += control + 2
        elif control > NOTHING:
            made += 257 - control
            position += 2
        else:
            position += 1
    if position > size:
        raise damaged("RLE")
    kept = segment[:last] + _shortened(segment[last:position], made - pixels)
    return kept + b"\0" * (len(kept) % 2)


def _shortened(run: bytes, over: int) -> bytes:
    """Take out of the last run what lies behind the last pixel: in one of single bytes a text could stand there."""
    if not over or run[0] > NOTHING:
        return run
    return bytes([run[0] - over]) + run[1 : len(run) - over]
