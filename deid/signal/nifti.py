"""NIfTI-1 and NIfTI-2 in one file, also gzipped: texts blanked, extensions dropped, voxels as they were.

Extensions hold whole DICOM headers and converters' comments. A volume of a head shows a face: that is told as a
warning, as for DICOM.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass

from deid.folder.format import Context
from deid.signal.cursor import truncated, unreadable
from deid.signal.one_file import LARGEST, Cleaned, OneFile
from deid.signal.person import Taken, number_in, person
from deid.signal.words import is_technical

GZIP = b"\x1f\x8b"
FACE = "face-possible"
MOST_DIMENSIONS = 7


@dataclass(frozen=True)
class Version:
    """Where a version of the format keeps what: byte offsets."""

    size: int
    magic: tuple[int, bytes, bytes]  # place; in one file; with the data in another
    dim: tuple[int, str]
    bitpix: int
    offset: tuple[int, str]
    texts: tuple[tuple[int, int], ...]  # place and length of what is blanked
    intent: tuple[int, int]


ONE = Version(
    *(348, (344, b"n+1\0", b"ni1\0"), (40, "8h"), 72, (108, "f")),
    texts=((4, 10), (14, 18), (32, 4), (36, 2), (140, 8), (148, 80), (228, 24)),
    intent=(328, 16),
)
TWO = Version(
    *(540, (4, b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"), (16, "8q"), 14, (168, "q")),
    texts=((240, 80), (320, 24), (525, 15)),
    intent=(508, 16),
)


@dataclass(frozen=True)
class Header:
    """A header, blanked, and how many bytes of data it says there are."""

    version: Version
    order: str
    raw: bytes
    data: int
    start: int

    def told(self) -> list[str]:
        """Give the texts that were in it."""
        places = [each for each in self.version.texts if each[1] > 10]  # noqa: PLR2004 - shorter ones hold numbers
        return [self.raw[at : at + length].split(b"\0")[0].decode("utf-8", "replace") for at, length in places]

    def blanked(self, *, pair: bool) -> bytes:
        """Give the header without its texts, its data right behind it (or at the start of the other file)."""
        new = bytearray(self.raw)
        for at, length in self.version.texts:
            new[at : at + length] = bytes(length)
        at, length = self.version.intent
        name = new[at : at + length].split(b"\0")[0].decode("latin-1")
        new[at : at + length] = (name if is_technical(name) else "").encode("latin-1").ljust(length, b"\0")
        at, code = self.version.offset
        struct.pack_into(self.order + code, new, at, 0 if pair else self.version.size + 4)
        return bytes(new)


def header(data: bytes) -> Header:
    """Read a header. Raises `Refused` if it is none or its numbers cannot be."""
    for version in (ONE, TWO):
        for order in "<>":
            if len(data) >= version.size and data[:4] == struct.pack(order + "i", version.size):
                return _header(data, version, order)
    raise unreadable("nifti-header", "NIfTI 머리글을 읽을 수 없습니다.", "The NIfTI header cannot be read.")


def _header(data: bytes, version: Version, order: str) -> Header:
    place, *magics = version.magic
    dims = struct.unpack_from(order + version.dim[1], data, version.dim[0])
    bits = struct.unpack_from(order + "h", data, version.bitpix)[0]
    start = struct.unpack_from(order + version.offset[1], data, version.offset[0])[0]
    right = data[place : place + len(magics[0])] in magics and 1 <= dims[0] <= MOST_DIMENSIONS
    if not right or min(dims[1 : dims[0] + 1]) < 1 or bits < 1 or not 0 <= start <= LARGEST:
        raise unreadable("nifti-header", "NIfTI 머리글을 읽을 수 없습니다.", "The NIfTI header cannot be read.")
    size = -(-math.prod(dims[1 : dims[0] + 1]) * bits // 8)
    return Header(version, order, data[: version.size], size, int(start))


class Nifti(OneFile):
    """NIfTI in one file (see `Format`)."""

    name = "nifti"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        if head[:2] == GZIP:
            return name.lower().endswith(".nii.gz")
        return any(head[each.magic[0] :].startswith(each.magic[1]) for each in (ONE, TWO))

    def suffix(self, name: str) -> str:
        """See `OneFile.suffix`."""
        return ".nii.gz" if name.lower().endswith(".gz") else ".nii"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        packed = data[:2] == GZIP
        if packed:
            data = unpacked(data)
        found = header(data)
        start = max(found.start, found.version.size)
        body = memoryview(data)[start : start + found.data]
        if len(body) < found.data:
            raise truncated("NIfTI")
        taken = Taken()
        for text in found.told():
            taken.words(text)
        who = person(context, next(filter(None, map(number_in, found.told())), ""))
        new = found.blanked(pair=False) + bytes(4)
        notes = {"extensions": int(start > found.version.size + 4)}
        pieces = (new, body) if not packed else (gzip.compress(b"".join((new, body)), 6, mtime=0),)
        return Cleaned(pieces, who, taken, notes, (FACE,), samples=0 if packed else len(new))


def unpacked(data: bytes) -> bytes:
    """Unzip as much as the header inside says, and no more. Raises `Refused` for what is no gzip, or is cut off."""
    try:
        unzip = zlib.decompressobj(wbits=31)
        first = unzip.decompress(data, 1 << 16)
        found = header(first)
        # A bomb stops here: never more than the header accounts for, however much is packed.
        wanted = max(found.start, found.version.size) + found.data
        if wanted > LARGEST:
            raise unreadable("size", "파일이 너무 큽니다.", "The file is too large.")
        return first + unzip.decompress(unzip.unconsumed_tail, max(wanted - len(first), 1))
    except zlib.error as error:
        raise unreadable("gzip", "압축을 풀 수 없습니다.", "The file cannot be unzipped.") from error
