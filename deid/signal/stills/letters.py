"""Letters in a photograph or a screen's picture: found by the detector of medical images, told in stored pixels."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from deid.folder.format import Pictured
from deid.imaging.letters.finder import Box, find
from deid.imaging.letters.look import softened, touches
from deid.imaging.letters.stroke import believed
from deid.imaging.letters.views import colourfulness, shows_more
from deid.signal.cursor import unreadable

THRESHOLD, LARGEST = 0.3, 0.05  # as in the strict recipe of images
MOST_PIXELS, SMALLEST = 100_000_000, 24
ORIENTATION = 0x0112
# What turns stored pixels upright, by EXIF's number (CIPA DC-008, 4.6.4).
UPRIGHT: dict[int, Any] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a), 2),
    8: np.rot90,
}


def opened(data: bytes, kind: str) -> Image.Image:
    """Decode a picture. Raises `Refused` for one that is damaged, of another kind, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(data), formats=(kind,))
            if image.width * image.height > MOST_PIXELS:
                raise unreadable("size", "그림이 너무 큽니다.", "The picture is too large.")
            image.load()
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise unreadable("picture", "그림을 읽을 수 없습니다.", "The picture cannot be read.") from error
    return image


def orientation(image: Image.Image) -> int:
    """Give EXIF's number of how a picture is turned, 1 if it does not say."""
    told = image.getexif().get(ORIENTATION, 1)
    return told if told in UPRIGHT else 1


def boxes(image: Image.Image) -> list[Box]:
    """Find letters; places are of the stored picture, however it is turned for showing."""
    if min(image.size) < SMALLEST:
        return []
    turn = UPRIGHT[orientation(image)]
    grey = _grey(image)
    colour = () if len(image.getbands()) < 3 else (colourfulness(np.asarray(image.convert("RGB"))),)  # noqa: PLR2004
    views = (grey, *(each for each in colour if shows_more(each, grey)))
    found = [box for view in views for box in _lines(np.ascontiguousarray(turn(view)))]
    places = turn(np.arange(image.width * image.height).reshape(image.height, image.width))
    return [_stored(places[box.top : box.bottom, box.left : box.right], image.width) for box in found]


def _lines(seen: NDArray[np.uint8]) -> list[Box]:
    found = believed(find(seen, threshold=THRESHOLD), seen, largest=LARGEST)
    if found:
        again = find(softened(seen, found), threshold=THRESHOLD)
        found += believed([b for b in again if any(touches(b, each) for each in found)], seen, largest=LARGEST)
    return found


def pictured(found: list[Box]) -> Pictured:
    """Say what people can look at: one frame, and what was blanked in it."""
    return Pictured(1, tuple((box.top, box.bottom, box.left, box.right) for box in found))


def _stored(places: NDArray[np.int64], width: int) -> Box:
    rows, columns = np.divmod(places, width)
    return Box(int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        return (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
    return np.asarray(image.convert("RGBA").convert("L"))
