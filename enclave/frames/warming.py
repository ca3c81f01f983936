"""Every decoder that the sealed child may need, run once over pixels made up here, before it is closed off."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from deid.imaging import codec
from deid.imaging.elements import DataSet, Element, Syntax
from deid.imaging.frames import encapsulated
from deid.imaging.picture import describe
from deid.imaging.pixels import PIXEL_DATA, RLE
from deid.shown.frame import of_dicom

EXPLICIT = "1.2.840.10008.1.2.1"
SIDE = 32
LOSSLESS = (RLE, codec.JPEG_LS, codec.J2K_LOSSLESS)


def stills() -> Iterator[bytes]:
    """Yield a picture of every kind of still."""
    for kind in ("PNG", "JPEG"):
        made = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), "grey").save(made, kind)
        yield made.getvalue()


def warm_decoders() -> None:
    """Decode an object of every family of transfer syntaxes."""
    grey = np.arange(SIDE * SIDE, dtype="<u2").reshape(SIDE, SIDE)
    of_dicom(_object(EXPLICIT, grey.tobytes(), 16), 1)
    for syntax in LOSSLESS:
        picture = describe(_object(syntax, b"", 16))
        frame = codec.encode(grey, syntax, picture, b"")
        of_dicom(_object(syntax, encapsulated([frame]), 16), 1)
    flat = io.BytesIO()
    Image.new("L", (SIDE, SIDE), 90).save(flat, "JPEG")
    # The decoder of lossless JPEG reads baseline too.
    for syntax in (codec.BASELINE, codec.EXTENDED):
        of_dicom(_object(syntax, encapsulated([flat.getvalue()]), 8), 1)


def _object(syntax: str, value: bytes, bits: int) -> DataSet:
    numbers = {0x00280002: 1, 0x00280010: SIDE, 0x00280011: SIDE, 0x00280100: bits, 0x00280101: bits, 0x00280103: 0}
    elements = [Element(tag, "US", struct.pack("<H", number)) for tag, number in numbers.items()]
    elements.append(Element(0x00280004, "CS", b"MONOCHROME2 "))
    elements.append(Element(PIXEL_DATA, "OB", value, fragments=syntax != EXPLICIT))
    return DataSet(elements, Syntax(explicit=True, little=True), syntax)
