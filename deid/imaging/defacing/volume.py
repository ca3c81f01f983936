"""A series of slices as one volume in space (PS3.3 §C.7.6.2): which slices belong together, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging import codec, pixels
from deid.imaging.elements import DataSet, ascii_text
from deid.imaging.letters.look import native_frames
from deid.imaging.picture import Picture, describe

POSITION, ORIENTATION, SPACING = 0x00200032, 0x00200037, 0x00280030
FEWEST = 12  # slices: fewer are no volume, and no surface can be computed from them
SHORTEST = 60.0  # mm, each way: less is no head
EVEN = 0.25  # of the usual distance between slices, by which one may differ
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Slice:
    """One slice: its file, where its first pixel is (mm), the directions of rows and columns, sizes and spacings."""

    name: str
    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    shape: tuple[int, int]

    @property
    def normal(self) -> Floats:
        """The direction through the slices."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def depth(self) -> float:
        """How far along that direction it lies, mm."""
        return float(np.dot(self.position, self.normal))

    @property
    def plane(self) -> tuple[object, ...]:
        """What slices of one volume have in common."""
        return tuple(round(each, 2) for each in (*self.orientation, *self.spacing)), self.shape


def slice_of(data: DataSet, name: str) -> Slice | None:
    """Read where a slice lies; None for what is none (several frames, no place in space)."""
    found = [_numbers(data, tag, count) for tag, count in ((POSITION, 3), (ORIENTATION, 6), (SPACING, 2))]
    if pixels.pixel_element(data) is None or any(each is None for each in found):
        return None
    picture = describe(data)
    if picture.frames != 1 or picture.samples != 1 or min(found[2] or (0.0,)) <= 0:
        return None
    (x, y, z), orientation, (down, across) = (each or () for each in found)
    return Slice(name, (x, y, z), tuple(orientation), (down, across), (picture.rows, picture.columns))


def _numbers(data: DataSet, tag: int, count: int) -> tuple[float, ...] | None:
    try:
        found = tuple(float(each) for each in ascii_text(data.find(tag)).split("\\"))
    except ValueError:
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def volumes(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Put the slices of one series together that make a volume, in the order of space; the others are in none."""
    by: dict[tuple[object, ...], list[Slice]] = {}
    for each in slices:
        by.setdefault(each.plane, []).append(each)
    return [made for group in by.values() if (made := sorted(group, key=lambda each: each.depth)) and _is_whole(made)]


def _is_whole(made: list[Slice]) -> bool:
    """Whether slices follow each other evenly and reach far enough each way. Of two at one place neither is trusted."""
    if len(made) < FEWEST:
        return False
    steps = np.diff([each.depth for each in made])
    usual = float(np.median(steps))
    rows, columns = made[0].shape
    down, across = made[0].spacing
    reach = (usual * len(made), rows * down, columns * across)
    return usual > 0 and bool((np.abs(steps - usual) <= EVEN * usual).all()) and min(reach) >= SHORTEST


def stored(data: DataSet) -> tuple[NDArray[Any], Picture]:
    """Give the stored pixels of an object of one frame, (rows, columns). Raises `Refused`."""
    found = pixels.stripped(data)
    picture = describe(data)
    if found is not None:
        return codec.decode(found[0][0], data.transfer_syntax, picture).reshape(picture.rows, picture.columns), picture
    value, _ = pixels.cut(data)
    return native_frames(value, picture)[0], picture
