"""A line of letters followed to its ends: on a busy background the detector marks its middle and loses the rest.

Beside what was found, a square as high as the line is taken on as long as the line's own tone stands in it in strokes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deid.imaging.letters.finder import Box
from deid.imaging.letters.stroke import SAME_TONE, is_drawn, tone

FARTHEST = 6  # squares, to each side
LEAST, MOST = 0.04, 0.6  # share of a square that strokes fill


def followed(box: Box, grey: NDArray[np.uint8]) -> Box:
    """Widen a find along its line to where the line ends."""
    if box.bottom - box.top > box.right - box.left:
        turned = followed(Box(box.left, box.right, box.top, box.bottom), grey.T)
        return Box(turned.left, turned.right, turned.top, turned.bottom)
    stroke, side = tone(grey[box.top : box.bottom, box.left : box.right]), max(box.short // 2, 4)
    left, right = box.left, box.right
    for _ in range(2 * FARTHEST):
        if not _goes_on(grey[box.top : box.bottom, max(left - side, 0) : left], stroke):
            break
        left = max(left - side, 0)
    for _ in range(2 * FARTHEST):
        if not _goes_on(grey[box.top : box.bottom, right : right + side], stroke):
            break
        right = min(right + side, grey.shape[1])
    return Box(box.top, box.bottom, left, right)


def _goes_on(part: NDArray[np.uint8], stroke: float) -> bool:
    if not is_drawn(part):
        return False
    strokes = float((np.abs(part.astype(np.int16) - stroke) <= SAME_TONE).mean())
    return LEAST <= strokes <= MOST
