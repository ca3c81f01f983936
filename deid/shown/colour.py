"""Stored colours as red, green and blue of 8 bits: RGB, YBR (PS3.3 §C.7.6.3.1.2) and palettes (§C.7.9)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.elements import DataSet
from deid.imaging.picture import Picture

Array = NDArray[Any]
DESCRIPTORS, TABLES = (0x00281101, 0x00281102, 0x00281103), (0x00281201, 0x00281202, 0x00281203)
BYTE_BITS = 8


def rgb(stored: Array, picture: Picture, data: DataSet) -> NDArray[np.uint8]:
    """Give a stored frame as (rows, columns, 3)."""
    if picture.photometric == "PALETTE COLOR":
        return np.stack([_looked_up(stored, data, channel) for channel in range(3)], axis=-1)
    deep = stored if picture.stored <= BYTE_BITS else stored >> (picture.stored - BYTE_BITS)
    colours: NDArray[np.uint8] = np.clip(deep, 0, 255).astype(np.uint8)
    return _from_ybr(colours) if picture.photometric.startswith("YBR_F") else colours


def _from_ybr(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    y, cb, cr = (colours[..., channel].astype(np.float32) for channel in range(3))
    cb, cr = cb - 128, cr - 128
    made = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    return np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)


def _looked_up(stored: Array, data: DataSet, channel: int) -> NDArray[np.uint8]:
    """Look indices up in one channel's table; as they are where there is none (a segmented one is not unfolded)."""
    descriptor, table = data.find(DESCRIPTORS[channel]), data.find(TABLES[channel])
    if descriptor is None or table is None or len(descriptor.value) < 6 or not len(table.value):  # noqa: PLR2004 - three
        return np.asarray(stored & 0xFF, np.uint8)
    entries, first, bits = (int(each) for each in np.frombuffer(bytes(descriptor.value[:6]), f"{data.syntax.order}u2"))
    entries = entries or 1 << 16
    if bits <= BYTE_BITS and len(table.value) < 2 * entries:
        colours = np.frombuffer(bytes(table.value), np.uint8)
    else:
        words = bytes(table.value[: len(table.value) // 2 * 2])
        wide = np.frombuffer(words, f"{data.syntax.order}u2")
        colours = (wide if bits <= BYTE_BITS else wide >> BYTE_BITS).astype(np.uint8)
    return np.asarray(colours[np.clip(stored.astype(np.int64) - first, 0, colours.size - 1)], np.uint8)
