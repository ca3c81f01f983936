"""From stored grey values to units, and the window in which a file wants to be seen (PS3.3 §C.11.1, §C.11.2).

In an enhanced object both stand in the functional groups of the frame, or of all frames. A VOI LUT is taken as the
window between the values where it leaves black and reaches white: reviewers look for letters, not for a diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deid.imaging.elements import DataSet, Element, Items, ascii_text, walk

SLOPE, INTERCEPT, CENTER, WIDTH = 0x00281053, 0x00281052, 0x00281050, 0x00281051
VOI_LUT, DESCRIPTOR, LUT_DATA = 0x00283010, 0x00283002, 0x00283006
PER_FRAME, SHARED = 0x52009230, 0x52009229
BLACK, WHITE = 0.02, 0.98  # of what a VOI LUT gives
LARGEST = 1e9


@dataclass(frozen=True)
class Scale:
    """Units are stored values times `slope` plus `intercept`."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class Window:
    """What becomes grey, in units; the rest is black or white."""

    center: float
    width: float


def scale_of(data: DataSet, number: int) -> Scale:
    """Read how stored values become units, for frame `number` (from 1); as stored where the file says nothing sane."""
    slope = _value(data, number, SLOPE)
    intercept = _value(data, number, INTERCEPT)
    return Scale(slope or 1.0, intercept or 0.0)


def window_of(data: DataSet, number: int) -> Window | None:
    """Read the file's first window for frame `number`; None where it has none that is one."""
    center, width = _value(data, number, CENTER), _value(data, number, WIDTH)
    if center is not None and width is not None and width >= 1:
        return Window(center, width)
    return _of_lut(data)


def _of_lut(data: DataSet) -> Window | None:
    sequence = data.find(VOI_LUT)
    item = sequence.items[0] if sequence is not None and sequence.items else []
    descriptor, table = (next((each for each in item if each.tag == tag), None) for tag in (DESCRIPTOR, LUT_DATA))
    if descriptor is None or table is None or len(descriptor.value) < 6:  # noqa: PLR2004 - three numbers
        return None
    first = int(np.frombuffer(bytes(descriptor.value[2:4]), f"{data.syntax.order}i2")[0])
    words = bytes(table.value[: len(table.value) // 2 * 2])
    given = np.frombuffer(words, f"{data.syntax.order}u2").astype(np.float64)
    if given.size < 2 or given.max() <= given.min():  # noqa: PLR2004 - black and white
        return None
    share = (given - given.min()) / (given.max() - given.min())
    low, high = first + int(np.argmax(share > BLACK)), first + int(np.argmax(share >= WHITE))
    return Window((low + high) / 2, high - low) if high > low else None


def _value(data: DataSet, number: int, tag: int) -> float | None:
    """Read a decimal: of the frame, else of all frames, else of the object."""
    for element in (*_grouped(data, number, tag), data.find(tag)):
        try:
            found = float(ascii_text(element).split("\\")[0]) if element is not None else None
        except ValueError:
            continue
        if found is not None and abs(found) < LARGEST:
            return found
    return None


def _grouped(data: DataSet, number: int, tag: int) -> Iterator[Element]:
    for group, place in ((PER_FRAME, number - 1), (SHARED, 0)):
        sequence = data.find(group)
        items: list[Items] = (sequence.items or []) if sequence is not None else []
        if place < len(items):
            yield from (each for each in walk(items[place]) if each.tag == tag)
