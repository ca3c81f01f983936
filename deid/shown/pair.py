"""A frame before and after, made alike: the same numbers, the same size, small enough for a page.

Grey values are moved by one offset into 16 bits, in both; a picture longer than `EDGE` is reduced to it by mean, so
that letters grow fainter but none goes. What is shown of the one can be compared with the other, pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deid.folder.format import Refused
from deid.shown.frame import Array, Frame, frame_of
from deid.shown.window import Scale, Window

EDGE = 1024  # px, longest side
TOP = (1 << 16) - 1
FEW, MOST = 0.5, 99.5  # percentiles that become black and white where a file has no window
SAMPLED = 1 << 18  # pixels from which they are taken


@dataclass(frozen=True)
class Pair:
    """Both frames: uint16 (rows, columns) or uint8 (rows, columns, 3). A value in units is v · slope + intercept.

    `full` is the size before it was made smaller; `own` is the file's window, `even` one by percentiles, in units.
    """

    before: Array
    after: Array
    full: tuple[int, int]
    scale: Scale
    own: Window | None
    even: Window
    inverted: bool
    modality: str


def pair_of(before: bytes | memoryview, after: bytes | memoryview, number: int) -> Pair:
    """Show frame `number` (from 1) of a file and of what was made of it. Raises `Refused`."""
    first, second = frame_of(before, number), frame_of(after, number)
    if first.values.shape != second.values.shape:
        raise Refused("imaging.unlike", "앞뒤 영상의 크기가 다릅니다.", "is of another size after its treatment.")
    full = (int(first.values.shape[0]), int(first.values.shape[1]))
    if first.is_colour:
        made = (_small(first.values), _small(second.values))
        return Pair(*made, full, Scale(1, 0), None, Window(127.5, 255), inverted=False, modality=first.modality)
    low = min(int(first.values.min()), int(second.values.min()))
    high = max(int(first.values.max()), int(second.values.max()))
    step = max(0, (high - low).bit_length() - 16)
    slope, intercept = first.scale.slope, first.scale.intercept
    scale = Scale(slope * (1 << step), slope * low + intercept)
    one, two = (_small(_sixteen(each.values, low, step)) for each in (first, second))
    even = _even(first, scale)
    return Pair(one, two, full, scale, first.window, even, first.inverted, first.modality)


def _sixteen(values: Array, low: int, step: int) -> NDArray[np.uint16]:
    return ((values.astype(np.int64) - low) >> step).astype(np.uint16)


def _small(values: Array) -> Array:
    rows, columns = values.shape[:2]
    if max(rows, columns) <= EDGE:
        return np.ascontiguousarray(values)
    share = EDGE / max(rows, columns)
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    if values.ndim > 2:  # noqa: PLR2004 - colour
        return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX))
    made = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX))
    return np.asarray(np.clip(np.rint(made), 0, TOP), np.uint16)


def _even(frame: Frame, scale: Scale) -> Window:
    values = frame.values
    step = max(1, int((values.size / SAMPLED) ** 0.5))
    seen = values[::step, ::step].ravel()
    kept = seen[seen != frame.padding] if frame.padding is not None else seen
    low, high = (float(each) for each in np.percentile(kept if kept.size else seen, [FEW, MOST]))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    slope, intercept = frame.scale.slope, frame.scale.intercept
    edges = sorted((low * slope + intercept, high * slope + intercept))
    return Window(sum(edges) / 2, max(edges[1] - edges[0], abs(scale.slope)))
