"""PNG pictures: only the chunks that pixels need; texts, times, profiles, animations and what stands behind go.

ISO/IEC 15948. The compressed pixels keep their bytes unless letters are blanked or something hides behind them.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from deid.folder.format import Context
from deid.imaging.letters.finder import Box
from deid.signal.cursor import Cursor, truncated, unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import person
from deid.signal.stills.jpeg import LOOK
from deid.signal.stills.letters import MOST_PIXELS, boxes, opened, pictured

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# How many bytes each may have at most.
KEPT = {b"IHDR": 13, b"PLTE": 768, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"sBIT": 4, b"pHYs": 9}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Png(OneFile):
    """PNG stills (see `Format`)."""

    name = "png"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content decides
        """See `Format.recognise`."""
        return head.startswith(SIGNATURE)

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".png"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        chunks = list(_chunks(data))
        new = _written(chunks)
        image = opened(new, "PNG")
        found = boxes(image)
        if found:
            new = _written(list(_chunks(_blanked(image, found))))
        gone = sum(kind not in {*KEPT, b"IDAT", b"IEND"} for kind, _ in chunks)
        notes = {"letters": len(found), "chunks": gone}
        return Cleaned((new,), person(context), notes=notes, warnings=(LOOK,), samples=0, pictured=pictured(found))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    cursor = Cursor(data, "PNG", ">")
    if cursor.take(len(SIGNATURE)) != SIGNATURE:
        raise truncated("PNG")
    kind = b""
    while kind != b"IEND":
        length = cursor.number("I")
        kind, body = cursor.take(4), cursor.take(length)
        if zlib.crc32(kind + body) != cursor.number("I"):
            raise unreadable("picture", "PNG 조각이 손상되었습니다.", "A chunk of the PNG is damaged.")
        yield kind, body


def _written(chunks: list[tuple[bytes, bytes]]) -> bytes:
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != KEPT[b"IHDR"]:
        raise truncated("PNG")
    kept = [(kind, body) for kind, body in chunks if len(body) <= KEPT.get(kind, -1)]
    pixels = _pixels(chunks[0][1], b"".join(body for kind, body in chunks if kind == b"IDAT"))
    parts = [*dict(kept).items(), (b"IDAT", pixels), (b"IEND", b"")]
    packed = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)
    return SIGNATURE + b"".join(packed)


def _pixels(header: bytes, packed: bytes) -> bytes:
    """Give the packed pixels, packed again if more is in them than the picture needs."""
    wanted = _size(header)
    unzip = zlib.decompressobj()
    try:
        raw = unzip.decompress(packed, wanted + 1)
    except zlib.error as error:
        raise unreadable("picture", "PNG 화소를 풀 수 없습니다.", "The PNG's pixels cannot be unzipped.") from error
    if len(raw) < wanted:
        raise truncated("PNG")
    if len(raw) == wanted and unzip.eof and not unzip.unused_data:
        return packed
    return zlib.compress(raw[:wanted])


def _size(header: bytes) -> int:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in CHANNELS or depth not in {1, 2, 4, 8, 16} or not 0 < width * height <= MOST_PIXELS:
        raise unreadable("size", "그림의 크기를 다룰 수 없습니다.", "The picture's size cannot be handled.")
    bits = depth * CHANNELS[colour]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    sides = ((math.ceil((width - x) / dx), math.ceil((height - y) / dy)) for x, y, dx, dy in passes)
    return sum(rows * (1 + math.ceil(columns * bits / 8)) for columns, rows in sides if columns > 0 and rows > 0)


def _blanked(image: Image.Image, found: list[Box]) -> bytes:
    picture = image if image.mode in {"L", "RGB", "RGBA", "I;16"} else image.convert("RGBA")
    pixels = np.array(picture)
    for box in found:
        place = pixels[box.top : box.bottom, box.left : box.right]
        place[...] = [0, 0, 0, 255] if picture.mode == "RGBA" else 0
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
