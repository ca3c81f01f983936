"""A frame before and after as it is kept: what is said of it, and its pixels packed; unpacked by a page's own script.

Packed: each row as differences to the left (modulo 2^16 or 2^8), the high bytes of all and then the low ones, deflated
(zlib). Of the second picture only what differs from the first is kept (exclusive or): mostly nothing.
"""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]
EDGE = 1024
LARGEST = 1e12
LEVEL = 6


@dataclass(frozen=True)
class Window:
    """What becomes grey, in units; below is black, above is white."""

    center: float
    width: float


@dataclass(frozen=True)
class About:
    """What is said of a frame: sizes in pixels as shown and (`full`) as stored, how its numbers are units, windows.

    `own` is the file's window, None where it has none; `even` one by percentiles; in units (v · slope + intercept).
    """

    rows: int
    columns: int
    colour: bool
    full: tuple[int, int]
    slope: float
    intercept: float
    own: Window | None
    even: Window
    inverted: bool
    modality: str

    @property
    def start(self) -> Window:
        """The window in which it is shown first."""
        return self.own or self.even


@dataclass(frozen=True)
class FramePair:
    """A frame before and after; pixels are packed. Raises `ValueError` from `before` and `after` if they are not."""

    about: About
    packed: tuple[bytes, bytes]

    def as_bytes(self) -> bytes:
        """Give it as bytes to be sealed."""
        head = {**asdict(self.about), "bytes": [len(each) for each in self.packed]}
        return b"".join([json.dumps(head).encode(), b"\n", *self.packed])

    def before(self) -> Array:
        """Unpack the first picture."""
        return _unpacked(self.packed[0], self.about)

    def after(self) -> Array:
        """Unpack the second."""
        return self.before() ^ _unpacked(self.packed[1], self.about)


def packed_pair(about: About, before: Array, after: Array) -> FramePair:
    """Pack two pictures of the same shape."""
    return FramePair(about, (_packed(before), _packed(before ^ after)))


def pair_from(body: bytes) -> FramePair:
    """Read what `as_bytes` gave."""
    line, _, rest = body.partition(b"\n")
    head = json.loads(line)
    first = head.pop("bytes")[0]
    return FramePair(about_from(head), (rest[:first], rest[first:]))


def about_from(head: dict[str, Any]) -> About:
    """Make of plain values what is said of a frame: numbers are made, not believed. Raises `ValueError`."""
    rows, columns = int(head["rows"]), int(head["columns"])
    if not (0 < rows <= EDGE and 0 < columns <= EDGE):
        raise ValueError("of a size that is not shown")
    return About(
        rows=rows,
        columns=columns,
        colour=bool(head["colour"]),
        full=(int(head["full"][0]), int(head["full"][1])),
        slope=_finite(head["slope"]),
        intercept=_finite(head["intercept"]),
        own=_window(head["own"]) if head["own"] else None,
        even=_window(head["even"]),
        inverted=bool(head["inverted"]),
        modality="".join(letter for letter in str(head["modality"])[:16] if letter.isascii() and letter.isalnum()),
    )


def array_from(data: bytes, about: About) -> Array:
    """Lay pixels out as they came. Raises `ValueError` unless there are as many as there must be."""
    shape = (about.rows, about.columns, 3) if about.colour else (about.rows, about.columns)
    return np.frombuffer(data, "u1" if about.colour else "<u2").reshape(shape)


def png(pixels: Array, about: About, window: Window) -> bytes:
    """Draw a picture in a window, as PNG in 8 bits."""
    low = window.center - window.width / 2
    units = pixels.astype(np.float64) * about.slope + about.intercept
    grey = np.clip((units - low) / max(window.width, 1e-9), 0, 1) * 255
    drawn = np.rint(255 - grey if about.inverted else grey).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(drawn).save(out, "PNG")
    return out.getvalue()


def _packed(pixels: Array) -> bytes:
    moved = pixels.copy()
    moved[:, 1:] = pixels[:, 1:] - pixels[:, :-1]
    high = b"" if pixels.dtype.itemsize == 1 else (moved >> 8).astype(np.uint8).tobytes()
    return zlib.compress(high + (moved & 0xFF).astype(np.uint8).tobytes(), LEVEL)


def _unpacked(packed: bytes, about: About) -> Array:
    shape = (about.rows, about.columns, 3) if about.colour else (about.rows, about.columns)
    size = int(np.prod(shape)) * (1 if about.colour else 2)
    plain = zlib.decompressobj().decompress(packed, size)
    if len(plain) != size:
        raise ValueError("packed pixels are not whole")
    if about.colour:
        return np.cumsum(np.frombuffer(plain, np.uint8).reshape(shape), axis=1, dtype=np.uint8)
    high, low = np.frombuffer(plain, np.uint8).reshape(2, *shape).astype(np.uint16)
    return np.cumsum(high << 8 | low, axis=1, dtype=np.uint16)


def _window(plain: dict[str, Any]) -> Window:
    return Window(_finite(plain["center"]), max(_finite(plain["width"]), 1e-9))


def _finite(value: Any) -> float:
    number = float(value)
    if not abs(number) < LARGEST:
        raise ValueError("not a number to reckon with")
    return number
