"""Pixel data made safe without decoding where possible: cut to size, unused bits cleared, comments out of streams."""

from __future__ import annotations

from collections.abc import Callable

from deid.folder.format import Refused
from deid.imaging.elements import DataSet, Element
from deid.imaging.frames import encapsulated, frames
from deid.imaging.picture import Picture, describe, native
from deid.imaging.streams import j2k, jpeg, rle

PIXEL_DATA, FLOAT, DOUBLE = 0x7FE00010, 0x7FE00008, 0x7FE00009
RLE = "1.2.840.10008.1.2.5"
JPEG = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81))
J2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 92, 93, 201, 202, 203))


def pixel_element(data: DataSet) -> Element | None:
    """Find the pixels of an object; None for one without."""
    return next((each for each in data.elements if each.tag in {PIXEL_DATA, FLOAT, DOUBLE}), None)


def stripped(data: DataSet) -> tuple[list[bytes], Picture] | None:
    """Give encapsulated frames without anything but their pixels; None where pixels are native or missing."""
    element = data.find(PIXEL_DATA)
    if element is None or not element.fragments:
        return None
    picture = describe(data)
    strip = _stripper(data.transfer_syntax, picture)
    return [strip(frame) for frame in frames(element.value, picture.frames)], picture


def _stripper(syntax: str, picture: Picture) -> Callable[[bytes], bytes]:
    if syntax == RLE:
        return lambda frame: rle.stripped(frame, picture.rows * picture.columns)
    if syntax in J2K:
        return j2k.stripped
    if syntax in JPEG:
        return jpeg.stripped
    raise Refused(
        "imaging.syntax", "압축하지 않은 전송 구문인데 조각으로 왔습니다.", "is compressed in an unknown way."
    )


def cut(data: DataSet) -> tuple[bytes | memoryview, bool]:
    """Give native pixels cut to their length, unused bits cleared; says whether any had been set."""
    element = pixel_element(data)
    if element is None:
        return b"", False
    picture = describe(data)
    if element.tag == PIXEL_DATA:
        return native(element.value, picture)
    width = 4 if element.tag == FLOAT else 8
    length = picture.rows * picture.columns * picture.samples * picture.frames * width
    if len(element.value) < length:
        raise Refused("imaging.short", "화소가 모자랍니다.", "has fewer pixels than it says.", policy=False)
    return element.value[:length], False


def packed(made: list[bytes]) -> Element:
    """Give the element of encapsulated pixels."""
    return Element(PIXEL_DATA, "OB", encapsulated(made), fragments=True)
