"""Letters or anatomy? What the detector found is believed if it is small, and drawn: hard edges, few tones.

Letters that a device writes into a picture are strokes of one tone with an edge of a pixel or two; a rib or a vessel
that looks like a line of text to the detector has soft flanks. Where in doubt it counts as letters.
"""

from __future__ import annotations

import numpy as np

from deid.imaging.letters.finder import Box, Grey

COUNTS, SECTIONS = frozenset({"NM", "PT"}), frozenset({"CT", "MR"})
LARGEST_LINE = 44  # px: a line of letters is never held to be larger on a small picture
TINY = 0.2  # of the short side: nor on one so small that this would be a third of it
HARD = 0.25  # of the contrast inside a find, in one pixel's step
HARD_IN_SECTIONS = 0.36  # the same of a short find in CT and MR: a coarse slice's folds of the brain have hard edges
LINE = 4  # times as long as high: folds are shorter
HARD_AMONG_COUNTS = 0.48  # the same where the picture is counts (NM, PET), whose noise has hard edges of its own
EVEN_AMONG_COUNTS = 0.15  # neighbours of its own tone that each pixel of a stroke has; of noise each stands alone
SAME_TONE = 14  # grey levels
LEAST_SIDE = 4  # px; in less nobody reads anything
LEAST_CONTRAST = 36  # grey levels


def believed(boxes: list[Box], grey: Grey, *, largest: float, modality: str = "") -> list[Box]:
    """Choose the finds that are letters; `largest` is a share of the picture's short side."""
    cap = max(min(LARGEST_LINE, TINY * min(grey.shape)), largest * min(grey.shape))
    parts = ((box, grey[box.top : box.bottom, box.left : box.right]) for box in boxes if box.short <= cap)
    if modality in COUNTS:
        return [box for box, part in parts if _stands_out(part)]
    return [box for box, part in parts if is_drawn(part, _hardness(part, modality))]


def _hardness(part: Grey, modality: str) -> float:
    """Give the step from a pixel to the next that letters of this shape have, as a share of their contrast."""
    short = max(part.shape) < LINE * min(part.shape)
    return HARD_IN_SECTIONS if short and modality in SECTIONS else HARD


def tone(part: Grey) -> float:
    """Give the tone of a line's strokes: the extreme that is farther from the middle."""
    low, middle, high = (float(each) for each in np.percentile(part, [1, 50, 99]))
    return high if high - middle >= middle - low else low


def _stands_out(part: Grey) -> bool:
    """Whether a part of a picture of counts is more than their noise."""
    if not is_drawn(part, HARD_AMONG_COUNTS):
        return False
    strokes = np.abs(part.astype(np.int16) - tone(part)) <= SAME_TONE
    together = (strokes[:, 1:] & strokes[:, :-1]).sum() + (strokes[1:] & strokes[:-1]).sum()
    return bool(together >= EVEN_AMONG_COUNTS * strokes.sum())


def is_drawn(part: Grey, hard: float = HARD) -> bool:
    """Whether a part of a picture has the edges of something drawn: steps of `hard` times its contrast."""
    if min(part.shape) < LEAST_SIDE:
        return False
    values = part.astype(np.int16)
    low, high = np.percentile(values, [2, 99])
    contrast = float(high - low)
    if contrast < LEAST_CONTRAST:
        return False
    steps = np.concatenate([np.abs(np.diff(values, axis=0)).ravel(), np.abs(np.diff(values, axis=1)).ravel()])
    return float(np.percentile(steps, 95)) >= hard * contrast
