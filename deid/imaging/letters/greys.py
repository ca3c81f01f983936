"""A stored frame as an 8-bit picture for the detector: windowed to where its values are, dark as a viewer shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.elements import DataSet
from deid.imaging.picture import Picture

Array = NDArray[Any]
Grey = NDArray[np.uint8]
FEW = 0.5  # percent of pixels that become black, and white
PALETTE = (0x00281201, 0x00281202, 0x00281203)
SAMPLED = 1 << 18  # pixels from which the percentiles are taken


def grey(frame: Array, picture: Picture, data: DataSet, *, cut: float = FEW) -> Grey:
    """Give a picture of (rows, columns) or (rows, columns, samples); `cut` percent at each end are clipped."""
    flat = coloured(frame, picture, data)
    if flat.ndim > 2:  # noqa: PLR2004 - colour
        flat = flat[..., 0] if picture.photometric.startswith("YBR_F") else flat.mean(axis=2)
    values = flat.astype(np.float32)
    step = max(1, int((values.size / SAMPLED) ** 0.5))
    low, high = (float(each) for each in np.percentile(values[::step, ::step], [cut, 100 - cut]))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    scaled = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return np.asarray(255 - scaled if picture.photometric == "MONOCHROME1" else scaled, np.uint8)


def coloured(frame: Array, picture: Picture, data: DataSet) -> Array:
    """Look a frame of indices up in its palette; any other frame is what it is."""
    if picture.photometric != "PALETTE COLOR":
        return frame
    tables = [data.find(tag) for tag in PALETTE]
    colours = [_entries(bytes(each.value), data.syntax.order) for each in tables if each is not None]
    if not colours or not all(each.size for each in colours):
        return frame
    indices = frame.astype(np.int64)
    return np.stack([each[np.clip(indices, 0, each.size - 1)] for each in colours], axis=-1)


def _entries(table: bytes, order: str) -> Array:
    return np.frombuffer(table[: len(table) // 2 * 2], f"{order}u2")
