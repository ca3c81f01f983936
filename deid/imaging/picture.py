"""What a data set says of its pixels (PS3.3 §C.7.6.3), and native pixels cut to it, with nothing in unused bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging.elements import DataSet, ascii_text, number

LARGEST = 1 << 40
Pixels = NDArray[Any]


@dataclass(frozen=True)
class Picture:
    """Sizes in pixels, depths in bits."""

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    padding: int | None
    order: str

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame."""
        samples = 2 if self.photometric == "YBR_FULL_422" and self.samples == 3 else self.samples  # noqa: PLR2004
        return self.rows * self.columns * samples * self.allocated

    @property
    def length(self) -> int:
        """Bytes of all native frames."""
        return (self.frame_bits * self.frames + 7) // 8


def describe(data: DataSet) -> Picture:
    """Read the description. Raises `Refused` where it is not one."""
    order = data.syntax.order

    def value(tag: int, default: int = 0) -> int:
        return number(data.find(tag), order, default)

    try:
        allocated = value(0x00280100, 16)
        stored = value(0x00280101, allocated)
        padding = data.find(0x00280120)
        found = Picture(
            value(0x00280010), value(0x00280011), value(0x00280002, 1), max(1, value(0x00280008, 1)), allocated, stored,
            value(0x00280102, stored - 1), bool(value(0x00280103)), bool(value(0x00280006)),
            ascii_text(data.find(0x00280004)), number(padding, order) if padding is not None else None, order,
        )  # fmt: skip
    except ValueError as error:
        raise _wrong() from error
    if not (found.rows and found.columns and found.samples and 0 < found.length < LARGEST):
        raise _wrong()
    return found


def native(value: bytes | memoryview, picture: Picture) -> tuple[bytes | memoryview, bool]:
    """Cut pixels to their computed length and clear unused bits; says whether any had been set.

    Raises `Refused` for fewer pixels than there should be.
    """
    if len(value) < picture.length:
        raise Refused("imaging.short", "화소가 모자랍니다.", "has fewer pixels than it says.", policy=False)
    value = value[: picture.length]
    if picture.allocated not in {8, 16, 32} or picture.stored >= picture.allocated:
        return value, False
    pixels = np.frombuffer(value, np.dtype(f"{picture.order}u{picture.allocated // 8}"))
    cleared = cleared_bits(pixels, picture)
    return (value, False) if cleared is None else (cleared.tobytes(), True)


def cleared_bits(pixels: Pixels, picture: Picture) -> Pixels | None:
    """Return pixels without anything in their unused bits; None when there is nothing (the sign may fill them)."""
    kind = pixels.dtype.newbyteorder("=")
    low = picture.high + 1 - picture.stored
    mask = kind.type((1 << picture.stored) - 1 << low)
    if not int(np.bitwise_or.reduce(pixels, axis=None)) & ~int(mask) & (1 << picture.allocated) - 1:
        return None
    stray = pixels[(pixels & ~mask) != 0]
    if picture.padding is not None and bool((stray == kind.type(picture.padding % (1 << picture.allocated))).all()):
        return None
    if not picture.signed or low:
        return np.asarray(pixels & mask, pixels.dtype)
    spare = picture.allocated - picture.stored
    signed = np.dtype(f"i{kind.itemsize}")
    filled = ((pixels.astype(kind) << kind.type(spare)).view(signed) >> signed.type(spare)).view(kind)
    return None if bool((filled == pixels).all()) else np.asarray(filled, pixels.dtype)


def _wrong() -> Refused:
    return Refused("imaging.picture", "화소 설명이 잘못되었습니다.", "describes its pixels wrongly.", policy=False)
