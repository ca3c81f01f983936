"""JPEG and JPEG-LS streams without comments and application data (ITU-T T.81 Annex B, T.87 Annex C); not decoded.

What a decoder needs stays: the Adobe segment says how colours are coded, HP's names a colour transform of JPEG-LS,
JFIF is written anew without its thumbnail. Everything behind the end of the image goes.
"""

from __future__ import annotations

import re

from deid.folder.format import Refused

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
APPS = range(0xE0, 0xF0)
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
LOSSLESS_LS = 0xF7
# Tables and headers by which a decoder reads: Huffman, arithmetic, quantisation, restarts, JPEG-LS, scan. Every other
# segment (reserved markers, extensions) may hold anything.
TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xF8, SOS})
LINES = 0xDC  # how many lines there are, told behind the first scan: two bytes
# In entropy-coded data a marker is FF and what is neither a stuffed zero nor a restart; in JPEG-LS, FF and a high bit.
NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
NEXT_MARKER_LS = re.compile(rb"\xff[\x80-\xfe]")
JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"


def stripped(data: bytes) -> bytes:
    """Return the stream without comments, application data and tail. Raises `Refused` for a damaged one."""
    if data[:2] != b"\xff\xd8":
        raise damaged("JPEG")
    parts, position, is_ls = [b"\xff\xd8"], 2, False
    while True:
        marker, position = _marker(data, position)
        if marker == EOI:
            parts.append(b"\xff\xd9")
            return b"".join(parts)
        if marker in ALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        body = data[position + 2 : position + length]
        if len(body) != length - 2 or length < 2:  # noqa: PLR2004 - the length counts itself
            raise damaged("JPEG")
        position += length
        is_ls = is_ls or marker == LOSSLESS_LS
        body_kept = _kept(marker, body)
        if body_kept is not None:
            parts.append(bytes([0xFF, marker]) + (len(body_kept) + 2).to_bytes(2, "big") + body_kept)
        if marker == SOS:
            end = _scan_end(data, position, is_ls=is_ls)
            parts.append(data[position:end])
            position = end


def precision(data: bytes) -> int:
    """Give the bits of a sample that a JPEG or JPEG-LS stream says it has; 0 if it says none."""
    position = 2
    while position + 4 < len(data):
        marker, position = _marker(data, position)
        if marker in FRAMES:
            return data[position + 2]
        if marker not in ALONE:
            position += int.from_bytes(data[position : position + 2], "big")
    return 0


def _marker(data: bytes, position: int) -> tuple[int, int]:
    while data[position : position + 2] == b"\xff\xff":
        position += 1
    if position + 1 >= len(data) or data[position] != 0xFF:  # noqa: PLR2004 - every marker begins so
        raise damaged("JPEG")
    return data[position + 1], position + 2


def _scan_end(data: bytes, position: int, *, is_ls: bool) -> int:
    match = (NEXT_MARKER_LS if is_ls else NEXT_MARKER).search(data, position)
    if match is None:
        raise damaged("JPEG")
    return match.start()


def _kept(marker: int, body: bytes) -> bytes | None:
    if marker == LINES:
        return body[:2] if len(body) >= 2 else None  # noqa: PLR2004
    if marker not in APPS:
        return body if marker in TABLES | FRAMES else None
    if marker == 0xE0 and body[:5] == b"JFIF\0":  # noqa: PLR2004 - APP0
        return JFIF
    if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:  # noqa: PLR2004 - APP14
        return b"Adobe\0\x64\0\0\0\0" + body[11:12]
    if marker == 0xE8 and body[:4] == b"mrfx" and len(body) >= 5:  # noqa: PLR2004 - APP8
        return body[:5]
    return None


def damaged(what: str) -> Refused:
    """Say that a stream is damaged."""
    return Refused("imaging.stream", f"{what} 압축이 손상되었습니다.", f"holds a damaged {what} stream.", policy=False)
