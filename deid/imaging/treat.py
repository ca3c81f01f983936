"""An object's pixels as they may be published: stripped, cut, and, where its kind asks for it, searched and blanked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging import codec, pixels
from deid.imaging.elements import DataSet, Element
from deid.imaging.letters.look import Found, Search, blank_frames, blank_native, native_frames
from deid.imaging.letters.route import SPARE, route
from deid.imaging.picture import Picture, cleared_bits, describe
from deid.imaging.recipe import LetterRules


@dataclass
class Treated:
    """Pixels to be written, the transfer syntax they are in, whether they were searched for letters, what was found.

    `frames` is how many of them people can look at: none of a mask of single bits or of numbers with a point.
    """

    element: Element
    syntax: str
    looked_at: bool = False
    frames: int = 1
    found: Found = field(default_factory=lambda: Found([]))
    notes: Counter[str] = field(default_factory=Counter)


def treat(data: DataSet, rules: LetterRules, sop_class: str, lot: int) -> Treated:
    """Make an object's pixels safe. Raises `Refused` where they are damaged or cannot be seen."""
    way = route(data, rules, sop_class, lot)
    encapsulated = pixels.stripped(data)
    if encapsulated is not None:
        return _encapsulated(data, *encapsulated, rules if way != SPARE else None)
    return _native(data, rules if way != SPARE else None)


def _native(data: DataSet, rules: LetterRules | None) -> Treated:
    element = pixels.pixel_element(data)
    if element is None:
        raise Refused("imaging.picture", "화소가 없습니다.", "has no pixels.", policy=False)
    value, cleared = pixels.cut(data)
    picture = describe(data)
    drawn = element.tag == pixels.PIXEL_DATA and picture.allocated > 1
    treated = Treated(Element(element.tag, element.vr, value), data.transfer_syntax, frames=picture.frames * drawn)
    treated.notes["unused-bits"] += cleared
    if rules is not None and drawn:
        laid_out = native_frames(value, picture)
        treated.found = Search(picture, data, rules).found(lambda number: laid_out[number])
        boxes = treated.found.boxes
        if boxes:
            treated.element = Element(element.tag, element.vr, blank_native(value, picture, treated.found))
        _note(treated, len(boxes))
    return treated


def _encapsulated(data: DataSet, made: list[bytes], picture: Picture, rules: LetterRules | None) -> Treated:
    syntax = data.transfer_syntax
    treated = Treated(pixels.packed(made), syntax)
    made, cleared = _cleared(made, syntax, picture)
    treated.notes["unused-bits"] += cleared
    treated.frames = picture.frames
    if rules is not None:
        treated.found = Search(picture, data, rules).found(lambda number: _decoded(made[number], syntax, picture))
        _note(treated, len(treated.found.boxes))
    if treated.found.boxes:
        made, treated.syntax = blank_frames(made, syntax, picture, treated.found)
    treated.element = pixels.packed(made)
    return treated


def _decoded(frame: bytes, syntax: str, picture: Picture) -> NDArray[Any]:
    array = codec.decode(frame, syntax, picture)
    return array.reshape(picture.rows, picture.columns, *array.shape[2:]) if array.ndim > 1 else array


def _cleared(made: list[bytes], syntax: str, picture: Picture) -> tuple[list[bytes], bool]:
    """Clear bits that are not used in streams that carry all of them: an overlay may lie there (PS3.5 §8.1.2)."""
    carried = picture.allocated if syntax == pixels.RLE else codec.depth(made[0], syntax)
    if picture.stored >= carried or picture.allocated not in {8, 16, 32}:
        return made, False
    found, changed = [], False
    for frame in made:
        array = codec.decode(frame, syntax, picture)
        bare = cleared_bits(array.view(f"u{array.itemsize}"), replace(picture, order="<"))
        if bare is not None:
            frame, changed = codec.encode(bare.view(array.dtype), syntax, picture, frame), True  # noqa: PLW2901
        found.append(frame)
    return found, changed


def _note(treated: Treated, boxes: int) -> None:
    treated.looked_at = True
    treated.notes["searched"] += 1
    treated.notes["letters"] += boxes
