"""One frame of a file as numbers that can be shown: grey in 16 bits with its window, or colour in 8 bits a channel.

Any file that a folder's run writes pictures of: DICOM in every syntax that the run itself decodes (`codec.py`), JPEG
and PNG stills. Nothing is drawn here, and nothing is believed of sizes before it is compared with a limit: whoever
calls this does so in a sealed process all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging import codec
from deid.imaging.elements import DataSet
from deid.imaging.frames import frames
from deid.imaging.letters.look import native_frames
from deid.imaging.picture import Picture, describe
from deid.imaging.pixels import PIXEL_DATA
from deid.imaging.read import is_dicom, read
from deid.shown.colour import rgb
from deid.shown.window import Scale, Window, scale_of, window_of
from deid.signal.stills.letters import opened

Array = NDArray[Any]
MOST_PIXELS = 1 << 26  # a mammogram has 26 million
PLAIN = Scale(1.0, 0.0)


@dataclass(frozen=True)
class Frame:
    """Stored grey values (rows, columns), as signed as they are, or colours (rows, columns, 3) of 8 bits.

    `scale` turns grey values into units (Hounsfield); `window` is the file's own in units, None where it has none.
    """

    values: Array
    scale: Scale = PLAIN
    window: Window | None = None
    inverted: bool = False
    padding: int | None = None
    modality: str = ""

    @property
    def is_colour(self) -> bool:
        """Whether it has three channels."""
        return self.values.ndim == 3  # noqa: PLR2004 - rows, columns, channels


def frame_of(data: bytes | memoryview, number: int) -> Frame:
    """Decode frame `number` (from 1) of a file. Raises `Refused` for what cannot be shown."""
    if is_dicom(bytes(data[:8192])):
        return of_dicom(read(data), number)
    if number != 1:
        raise _no_frame()
    return _of_still(bytes(data))


def of_dicom(data: DataSet, number: int) -> Frame:
    """Decode frame `number` (from 1) of an object that was read. Raises `Refused`."""
    picture = describe(data)
    element = data.find(PIXEL_DATA)
    if picture.rows * picture.columns > MOST_PIXELS or picture.samples not in {1, 3}:
        raise Refused("imaging.size", "영상이 너무 큽니다.", "is too large to be shown.", policy=False)
    if element is None or not 1 <= number <= picture.frames:
        raise _no_frame()
    if element.fragments:
        stored = _decoded(frames(element.value, picture.frames)[number - 1], data.transfer_syntax, picture)
    else:
        one = replace(picture, frames=1)
        part = element.value[(number - 1) * one.length : number * one.length]
        if len(part) < one.length:
            raise Refused("imaging.short", "화소가 모자랍니다.", "has fewer pixels than it says.", policy=False)
        stored = native_frames(part, one)[0]
    if picture.samples > 1 or picture.photometric == "PALETTE COLOR":
        return Frame(rgb(stored, picture, data))
    scale = scale_of(data, number)
    window = window_of(data, number)
    return Frame(stored, scale, window, picture.photometric == "MONOCHROME1", picture.padding, _modality(data))


def _decoded(frame: bytes, syntax: str, picture: Picture) -> Array:
    array = codec.decode(frame, syntax, picture)
    shape = (picture.rows, picture.columns, *((picture.samples,) if picture.samples > 1 else ()))
    if array.size != np.prod(shape):
        raise Refused("imaging.decode", "화소를 풀 수 없습니다.", "has pixels that cannot be decoded.", policy=False)
    return array.reshape(shape)


def _of_still(data: bytes) -> Frame:
    image = opened(data, "PNG" if data.startswith(b"\x89PNG") else "JPEG")
    if image.width * image.height > MOST_PIXELS:
        raise Refused("imaging.size", "영상이 너무 큽니다.", "is too large to be shown.", policy=False)
    if image.mode.startswith("I"):
        return Frame(np.asarray(image).astype(np.int32))
    return Frame(np.asarray(image.convert("RGBA").convert("RGB")))


def _modality(data: DataSet) -> str:
    element = data.find(0x00080060)
    return bytes(element.value).decode("latin-1").strip(" \0") if element is not None else ""


def _no_frame() -> Refused:
    return Refused("imaging.frame", "그런 장면이 없습니다.", "has no such frame.", policy=False)
