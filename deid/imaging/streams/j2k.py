"""JPEG 2000 and HTJ2K code streams without comments (ITU-T T.800 Annex A); a JP2 box around them goes too."""

from __future__ import annotations

from deid.imaging.streams.jpeg import damaged

SOC, SOT, SOD, EOC, SIZ, COM, TLM = 0xFF4F, 0xFF90, 0xFF93, 0xFFD9, 0xFF51, 0xFF64, 0xFF55
# COD COC RGN QCD QCC POC, PLM PLT PPM PPT, SIZ CAP PRF CPF: what a decoder reads. CRG and TLM it can do without.
NEEDED = frozenset({0xFF52, 0xFF53, 0xFF5E, 0xFF5C, 0xFF5D, 0xFF5F, 0xFF57, 0xFF58, 0xFF60, 0xFF61, SIZ, 0xFF50, 0xFF56,
                    0xFF59})  # fmt: skip


def stripped(data: bytes) -> bytes:
    """Return the bare code stream without comments and tail. Raises `Refused` for a damaged one."""
    data = _bare(data)
    if data[:2] != b"\xff\x4f":
        raise damaged("JPEG 2000")
    kept, position = _segments(data, 2)
    parts = [b"\xff\x4f", kept]
    while _at(data, position) == SOT:
        tile, position = _tile_part(data, position)
        parts.append(tile)
    if len(parts) == 2:  # noqa: PLR2004 - no tile at all
        raise damaged("JPEG 2000")
    return b"".join(parts) + b"\xff\xd9"


def precision(data: bytes) -> int:
    """Give the bits of a sample of the first component; 0 if the stream does not say."""
    data = _bare(data)
    start = data.find(b"\xff\x51")
    return (data[start + 40] & 0x7F) + 1 if 0 <= start < len(data) - 40 else 0


def _tile_part(data: bytes, position: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[position + 6 : position + 10], "big")
    header, body = _segments(data, position + 12)
    end = position + length if length else _open_end(data, body)
    if end > len(data) or end <= body or _at(data, body) != SOD:
        raise damaged("JPEG 2000")
    rest = header + data[body:end]
    start = data[position : position + 6] + (12 + len(rest)).to_bytes(4, "big") + data[position + 10 : position + 12]
    return start + rest, end


def _open_end(data: bytes, body: int) -> int:
    """Find the end of a last tile-part that does not tell its length: coded data never hold a marker (T.800 B.10)."""
    end = data.find(b"\xff\xd9", body)
    return end if end >= 0 else len(data)


def _segments(data: bytes, position: int) -> tuple[bytes, int]:
    """Keep the needed marker segments from `position` on; returns them and where something else begins."""
    kept = []
    while (marker := _at(data, position)) not in {SOT, SOD, EOC}:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2 or position + 2 + length > len(data) or marker < 0xFF00:  # noqa: PLR2004 - counts itself
            raise damaged("JPEG 2000")
        if marker in NEEDED:
            kept.append(data[position : position + 2 + length])
        position += 2 + length
    return b"".join(kept), position


def _bare(data: bytes) -> bytes:
    if data[4:8] != b"jP  ":
        return data
    start = data.find(b"jp2c")
    if start < 0:
        raise damaged("JPEG 2000")
    length = int.from_bytes(data[start - 4 : start], "big")
    if length == 1:
        return data[start + 12 :]
    return data[start + 4 : start - 4 + length] if length else data[start + 4 :]


def _at(data: bytes, position: int) -> int:
    if position + 2 > len(data):
        raise damaged("JPEG 2000")
    return int.from_bytes(data[position : position + 2], "big")
