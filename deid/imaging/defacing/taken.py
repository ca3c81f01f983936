"""A face taken out of one slice: its pixels become what is darkest there; all others are stored as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging import codec, pixels
from deid.imaging.defacing.masks import Mask
from deid.imaging.elements import DataSet, Element
from deid.imaging.frames import frames
from deid.imaging.letters.look import native_frames
from deid.imaging.picture import Picture, describe


def take_out(data: DataSet, element: Element, syntax: str, mask: Mask) -> tuple[Element, str]:
    """Give the pixels without the face, and the transfer syntax they are in. Raises `Refused` as `codec` does."""
    if not mask.any():
        return element, syntax
    picture = describe(data)
    if not element.fragments:
        copied = bytearray(element.value)
        layer = native_frames(copied, picture)[0]
        layer[mask] = _dark(layer, picture)
        return Element(element.tag, element.vr, bytes(copied)), syntax
    # A lossy frame that was cut out and compressed again would lose twice: it is written without loss.
    target = codec.JPEG_LS if syntax == codec.BASELINE else codec.INSTEAD.get(syntax, syntax)
    (frame,) = frames(element.value, 1)
    array = codec.decode(frame, syntax, picture).reshape(picture.rows, picture.columns).copy()
    array[mask] = _dark(array, picture)
    return pixels.packed([codec.encode(array, target, picture, frame)]), target


def _dark(layer: NDArray[Any], picture: Picture) -> Any:
    return np.max(layer) if picture.photometric == "MONOCHROME1" else np.min(layer)
