"""Many frames: which are searched one by one, and in which of them a line that was found stands.

A device's letters stand still, so the brightest and the darkest value that each pixel takes over all frames show most
of them at once. A line that a few frames alone have (a patient's card, a comment) brings new hard edges with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.letters.finder import Box
from deid.imaging.letters.stroke import HARD_AMONG_COUNTS, is_drawn

Array = NDArray[Any]
Grey = NDArray[np.uint8]
EDGE = 0.15  # of the first frame's range, from a pixel to the next
FEWEST, MOST = 30, 8  # new edge pixels that make a frame worth a look; frames that are looked at for them
NEAR = 0.15  # of a line's contrast: what is as near to its tone is of it
HELD = 0.15  # of a line's strokes: a counter whose digits changed has more, another picture fewer


@dataclass(frozen=True)
class Frames:
    """What all frames together show, and the numbers (from 0) of those that bring something new."""

    brightest: Array
    darkest: Array
    new: list[int]


def overview(count: int, frame: Callable[[int], Array]) -> Frames:
    """Go through all frames once; `frame` gives a stored one by its number."""
    first = frame(0)
    low, high = np.percentile(_flat(first)[::2, ::2], [0.5, 99.5])
    step = max(EDGE * float(high - low), 1.0)
    brightest, darkest, before, new = first, first, _edges(first, step), {}
    for number in range(1, count):
        stored = frame(number)
        brightest, darkest = np.maximum(brightest, stored), np.minimum(darkest, stored)
        edges = _edges(stored, step)
        new[number] = int((edges & ~_wider(before)).sum())
        before = edges
    ranked = sorted(new, key=lambda number: -new[number])[:MOST]
    return Frames(brightest, darkest, sorted(number for number in ranked if new[number] >= FEWEST))


def _flat(stored: Array) -> Array:
    return stored[..., stored.shape[2] // 2] if stored.ndim > 2 else stored  # noqa: PLR2004 - of colours the green one


def _edges(stored: Array, step: float) -> NDArray[np.bool_]:
    found = [np.abs(np.diff(each.astype(np.int32), axis=1)) >= step for each in _planes(stored)]
    return np.asarray(np.logical_or.reduce(found))


def _wider(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Widen by a pixel to each side: what moves as little is not new."""
    wide = edges.copy()
    wide[1:] |= edges[:-1]
    wide[:-1] |= edges[1:]
    wide[:, 1:] |= edges[:, :-1]
    wide[:, :-1] |= edges[:, 1:]
    return wide


def stands_in(box: Box, found_in: Array, stored: Array, seen: Grey) -> bool:
    """Whether a line found in one stored frame stands in another too, or something else that is drawn does.

    `seen` is the other frame in grey. Stored values are compared, for each frame in grey has a scale of its own.
    """
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    if is_drawn(seen[rows, columns], HARD_AMONG_COUNTS):
        return True
    colours = zip(_planes(found_in[rows, columns]), _planes(stored[rows, columns]), strict=True)
    pairs = [(*_stroke(before), before, now.astype(np.float64)) for before, now in colours]
    stroke, contrast, before, now = max(pairs, key=lambda each: each[1])
    near = NEAR * contrast
    return bool((np.abs(now - stroke)[np.abs(before - stroke) <= near] <= 2 * near).mean() >= HELD)


def _planes(stored: Array) -> list[Array]:
    return [stored[..., number] for number in range(stored.shape[2])] if stored.ndim > 2 else [stored]  # noqa: PLR2004


def _stroke(part: Array) -> tuple[float, float]:
    """Give the tone of a line's strokes as stored, and how far it is from what is behind them."""
    low, middle, high = (float(each) for each in np.percentile(part, [1, 50, 99]))
    return (high, high - middle) if high - middle >= middle - low else (low, middle - low)
