"""Letters or anatomy? What the detector found is believed if it is small, and drawn: hard edges, few tones.

Letters that a device writes into a picture are strokes of one tone with an edge of a pixel or two; a rib or a vessel
that looks like a line of text to the detector has soft flanks. Where in doubt it counts as letters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deid.imaging.letters.finder import Box

LARGEST_LINE = 44  # px: a line of letters is never held to be larger on a small picture
HARD = 0.25  # of the contrast inside a find, in one pixel's step
LEAST_CONTRAST = 36  # grey levels


def believed(boxes: list[Box], grey: NDArray[np.uint8], *, largest: float) -> list[Box]:
    """Choose the finds that are letters; `largest` is a share of the picture's short side."""
    cap = max(LARGEST_LINE, largest * min(grey.shape))
    return [box for box in boxes if box.short <= cap and is_drawn(grey[box.top : box.bottom, box.left : box.right])]


def is_drawn(part: NDArray[np.uint8]) -> bool:
    """Whether a part of a picture has the edges of something drawn."""
    if min(part.shape) < 4:  # noqa: PLR2004 - px; nothing to judge by
        return True
    values = part.astype(np.int16)
    low, high = np.percentile(values, [2, 99])
    contrast = float(high - low)
    if contrast < LEAST_CONTRAST:
        return False
    steps = np.concatenate([np.abs(np.diff(values, axis=0)).ravel(), np.abs(np.diff(values, axis=1)).ravel()])
    return float(np.percentile(steps, 95)) >= HARD * contrast
