"""A stored frame as an 8-bit picture for the detector: windowed to where its values are, dark as a viewer shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.elements import DataSet
from deid.imaging.picture import Picture

Array = NDArray[Any]
Grey = NDArray[np.uint8]
FEW, MOST = 0.5, 99.5  # percentiles that become black and white
SAMPLED = 1 << 18  # pixels from which the percentiles are taken


def grey(frame: Array, picture: Picture, data: DataSet) -> Grey:
    """Give a picture of (rows, columns) or (rows, columns, samples) as stored."""
    flat = frame
    if frame.ndim > 2:  # noqa: PLR2004 - colour
        flat = frame[..., 0] if picture.photometric.startswith("YBR_F") else frame.mean(axis=2)
    if picture.photometric == "PALETTE COLOR":
        flat = _through_palette(flat, data)
    values = flat.astype(np.float32)
    step = max(1, int((values.size / SAMPLED) ** 0.5))
    low, high = (float(each) for each in np.percentile(values[::step, ::step], [FEW, MOST]))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    scaled = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return np.asarray(255 - scaled if picture.photometric == "MONOCHROME1" else scaled, np.uint8)


def _through_palette(indices: Array, data: DataSet) -> Array:
    """Look indices up in the table of green, which is most of brightness; unchanged where there is none."""
    table = data.find(0x00281202)
    if table is None or table.items is not None or len(table.value) < 4:  # noqa: PLR2004 - two entries
        return indices
    colours = np.frombuffer(bytes(table.value[: len(table.value) // 2 * 2]), f"{data.syntax.order}u2")
    return np.asarray(colours[np.minimum(indices.astype(np.int64), colours.size - 1)])
