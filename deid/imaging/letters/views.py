"""What a grey picture of a frame hides: letters as bright as what is behind them, in a narrow window, in rare tones.

Another view is searched only around the hard edges that it has and the grey picture lacks: most pictures cost one look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.elements import DataSet, ascii_text
from deid.imaging.letters.finder import Box
from deid.imaging.letters.greys import coloured, grey
from deid.imaging.picture import Picture

Array = NDArray[Any]
Grey = NDArray[np.uint8]
HARD, SOFT = 60, 20  # grey levels from a pixel to the next: of an edge in the other view, of none in the grey picture
FEWEST, MOST = 40, 0.1  # pixels of such edges; the share of all at which they are noise
NARROW = 0.5  # of the values' range: a wider window shows what the grey picture shows
CELL, CELLS = 64, 16  # px of a side of the least place that is told; places along a side at most
CENTRE, WIDTH, SLOPE, INTERCEPT = 0x00281050, 0x00281051, 0x00281053, 0x00281052


@dataclass(frozen=True)
class View:
    """A frame in grey, and where in it something is to be looked for; nowhere in particular: everywhere."""

    seen: Grey
    places: tuple[Box, ...] = ()


def views(stored: Array, picture: Picture, data: DataSet) -> list[View]:
    """Give the grey picture of a stored frame, and after it the views that show more."""
    seen = grey(stored, picture, data)
    others = ((each, _more(each, seen)) for each in _others(stored, picture, data))
    return [View(seen), *(View(each, _places(more)) for each, more in others if _is_drawn(more))]


def _others(stored: Array, picture: Picture, data: DataSet) -> Iterator[Grey]:
    frame = coloured(stored, picture, data)
    yield grey(stored, picture, data, cut=0)
    if frame.ndim > 2:  # noqa: PLR2004 - colour
        yield colourfulness(frame, ybr=picture.photometric.startswith("YBR_F"))
        return
    windowed = _windowed(frame, data)
    if windowed is not None:
        yield windowed


def colourfulness(frame: Array, *, ybr: bool = False) -> Grey:
    """Show how far each pixel of a colour picture is from grey."""
    values = frame.astype(np.int32)
    if values.max(initial=0) > 255:  # noqa: PLR2004 - sixteen bits
        values >>= 8
    far = 2 * np.abs(values[..., 1:] - 128).max(axis=2) if ybr else values.max(axis=2) - values.min(axis=2)
    return np.asarray(np.clip(far, 0, 255), np.uint8)


def _windowed(frame: Array, data: DataSet) -> Grey | None:
    """Show a frame in the first window that its file has, if that is narrow."""
    try:
        centre, width = (float(ascii_text(data.find(tag)).split("\\")[0]) for tag in (CENTRE, WIDTH))
        slope = float(ascii_text(data.find(SLOPE)) or 1)
        intercept = float(ascii_text(data.find(INTERCEPT)) or 0)
    except ValueError:
        return None
    values = frame.astype(np.float32) * slope + intercept
    if not 1 <= width < NARROW * float(values.max() - values.min()):
        return None
    return np.asarray(np.clip((values - (centre - width / 2)) * (255.0 / width), 0, 255), np.uint8)


def shows_more(other: Grey, seen: Grey) -> bool:
    """Whether a view has edges of something drawn where the grey picture is smooth."""
    return _is_drawn(_more(other, seen))


def _more(other: Grey, seen: Grey) -> NDArray[np.uint8]:
    """Count at each pixel the edges (down, across) that only the other view has."""
    more = np.zeros(seen.shape, np.uint8)
    for axis in (0, 1):
        there, here = (np.abs(np.diff(each.astype(np.int16), axis=axis)) for each in (other, seen))
        edges = (there >= HARD) & (here < SOFT)
        more[: edges.shape[0], : edges.shape[1]] += edges
    return more


def _is_drawn(more: NDArray[np.uint8]) -> bool:
    return FEWEST <= int(more.sum()) <= MOST * more.size


def _places(more: NDArray[np.uint8]) -> tuple[Box, ...]:
    side = max(CELL, -(-max(more.shape) // CELLS))
    cells = {(row // side, column // side) for row, column in np.argwhere(more).tolist()}
    return tuple(Box(row * side, (row + 1) * side, column * side, (column + 1) * side) for row, column in sorted(cells))
