"""An object's pixels searched for letters and blanked: which places, in which frames, in the syntax they are stored in.

Letters of a device stand still, so a few frames and the brightest value that each pixel takes over many are searched,
and what is found is blanked in every frame; a frame in which nothing is to be blanked keeps its bytes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging import codec
from deid.imaging.elements import DataSet, ascii_text
from deid.imaging.letters.finder import CERTAIN, Box, find, scale_of
from deid.imaging.letters.follow import followed
from deid.imaging.letters.greys import grey
from deid.imaging.letters.stroke import believed
from deid.imaging.picture import Picture
from deid.imaging.recipe import LetterRules

Array = NDArray[Any]
SINGLY, TOGETHER = 3, 16  # frames searched by themselves, and by their brightest values
SMALLEST = 24  # px: nothing smaller holds letters that can be read
BESIDE = 160  # px around a find in which the rest of its line is looked for
MODALITY, COUNTS = 0x00080060, frozenset({"NM", "PT"})
BASELINE_BITS = 8
DOUBTFUL = 0.1  # of mean probability, around `CERTAIN`: a find in between is told to reviewers as doubtful
# Why a picture is doubtful. `near-threshold`: a place was blanked, but barely. `below-threshold`: one was left, barely.
NEAR, BELOW = "near-threshold", "below-threshold"


@dataclass(frozen=True)
class Found:
    """Places to be blanked, and what the finder doubts of them or of what it left (NEAR, BELOW), sorted."""

    boxes: list[Box]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Search:
    """Searches pictures of one object."""

    picture: Picture
    data: DataSet
    rules: LetterRules

    def boxes(self, frame: Callable[[int], Array]) -> list[Box]:
        """Give the places of letters; `frame` gives a stored frame by its number (from 0)."""
        return self.found(frame).boxes

    def found(self, frame: Callable[[int], Array]) -> Found:
        """Give the places of letters, and what is doubtful."""
        if min(self.picture.rows, self.picture.columns) < SMALLEST or self.picture.allocated == 1:
            return Found([])
        count = self.picture.frames
        singly = sorted({0, count // 2, count - 1}) if count > SINGLY else range(count)
        looks = [self._look(frame(number)) for number in singly]
        if count > SINGLY:
            step = max(1, count // TOGETHER)
            brightest = frame(0)
            for number in range(step, count, step):
                brightest = np.maximum(brightest, frame(number))
            looks.append(self._look(brightest))
        doubts = {doubt for each in looks for doubt in each.doubts}
        return Found(merged([box for each in looks for box in each.boxes]), tuple(sorted(doubts)))

    def _look(self, stored: Array) -> Found:
        seen = grey(stored, self.picture, self.data)
        counts, largest = ascii_text(self.data.find(MODALITY)) in COUNTS, self.rules.largest
        nearly = find(seen, threshold=self.rules.threshold, certain=CERTAIN - DOUBTFUL)
        drawn = believed(nearly, seen, largest=largest, counts=counts)
        found = [box for box in drawn if box.sure >= CERTAIN]
        doubts = {NEAR} if any(box.sure < CERTAIN + DOUBTFUL for box in found) else set()
        if found:
            # A line that was half seen ends at a blanked place: the next look finds the rest of it, and only that.
            again = _beside(softened(seen, found), found, self.rules.threshold / 2)
            found += believed(again, seen, largest=largest, counts=counts)
        made = [followed(box, seen) for box in found]
        if any(box.sure < CERTAIN and not any(_overlap(box, each) for each in made) for box in drawn):
            doubts.add(BELOW)
        return Found(made, tuple(doubts))


def _beside(seen: NDArray[np.uint8], found: list[Box], threshold: float) -> list[Box]:
    """Find what touches finds: only around them is looked, for the second look at a whole picture costs the first's."""
    height, width = seen.shape
    around = [
        Box(max(each.top - BESIDE, 0), min(each.bottom + BESIDE, height),
            max(each.left - BESIDE, 0), min(each.right + BESIDE, width))
        for each in found
    ]  # fmt: skip
    ends = [
        Box(end.top + part.top, end.bottom + part.top, end.left + part.left, end.right + part.left)
        for part in merged(around)
        for end in find(seen[part.top : part.bottom, part.left : part.right], threshold=threshold,
                        certain=2 * threshold, scale=scale_of(height, width))
    ]  # fmt: skip
    return [end for end in ends if any(touches(end, each) for each in found)]


def merged(boxes: list[Box]) -> list[Box]:
    """Join places that overlap: frames see the same line a pixel apart, and each place costs a pass over a JPEG."""
    found: list[Box] = []
    for each in boxes:
        box = each
        while met := [other for other in found if _overlap(box, other)]:
            found = [other for other in found if other not in met]
            box = Box(
                min(box.top, *(other.top for other in met)),
                max(box.bottom, *(other.bottom for other in met)),
                min(box.left, *(other.left for other in met)),
                max(box.right, *(other.right for other in met)),
            )
        found.append(box)
    return found


def _overlap(one: Box, other: Box) -> bool:
    return one.top < other.bottom and other.top < one.bottom and one.left < other.right and other.left < one.right


def touches(one: Box, other: Box) -> bool:
    """Whether two places meet, or nearly."""
    near = other.short
    return (
        one.top < other.bottom + near
        and other.top < one.bottom + near
        and one.left < other.right + near
        and other.left < one.right + near
    )


def softened(seen: NDArray[np.uint8], boxes: list[Box]) -> NDArray[np.uint8]:
    """Blank places with the middle tone around them, so that their edges are no new strokes."""
    copied = seen.copy()
    for box in boxes:
        around = seen[max(box.top - 2, 0) : box.bottom + 2, max(box.left - 2, 0) : box.right + 2]
        copied[box.top : box.bottom, box.left : box.right] = int(np.median(around))
    return copied


def native_frames(value: bytes | bytearray | memoryview, picture: Picture) -> Array:
    """Lay native pixels out as (frames, rows, columns[, samples]). Raises `Refused` for layouts that cannot be."""
    if picture.allocated not in {8, 16, 32} or picture.photometric == "YBR_FULL_422":
        raise Refused(
            "imaging.layout", "화소 배열을 다루지 않습니다.", "lays its pixels out in a way that is not handled."
        )
    kind = np.dtype(f"{picture.order}{'i' if picture.signed else 'u'}{picture.allocated // 8}")
    pixels = np.frombuffer(value, kind)
    shape = (picture.frames, picture.rows, picture.columns)
    if picture.samples == 1:
        return pixels.reshape(shape)
    if picture.planar:
        return np.moveaxis(pixels.reshape(picture.frames, picture.samples, *shape[1:]), 1, -1)
    return pixels.reshape(*shape, picture.samples)


def blank_native(value: bytes | memoryview, picture: Picture, boxes: list[Box]) -> memoryview:
    """Fill the places in every native frame, in one copy; the rest stays bit for bit."""
    copied = bytearray(value)
    pixels = native_frames(copied, picture)
    for box in boxes:
        pixels[:, box.top : box.bottom, box.left : box.right] = _fill(picture)
    return memoryview(copied)


def blank_frames(made: list[bytes], syntax: str, picture: Picture, boxes: list[Box]) -> tuple[list[bytes], str]:
    """Fill the places in every encapsulated frame; gives frames and the transfer syntax they are now in."""
    target = codec.INSTEAD.get(syntax, syntax)
    if syntax == codec.EXTENDED and codec.depth(made[0], syntax) == BASELINE_BITS:
        target = syntax
    if target in {codec.BASELINE, codec.EXTENDED}:
        return [wiped(frame, boxes) for frame in made], syntax
    return [_again(frame, syntax, target, picture, boxes) for frame in made], target


def _again(frame: bytes, syntax: str, target: str, picture: Picture, boxes: list[Box]) -> bytes:
    array = codec.decode(frame, syntax, picture).copy()
    for box in boxes:
        array[box.top : box.bottom, box.left : box.right] = _fill(picture)
    return codec.encode(array, target, picture, frame)


def wiped(frame: bytes, boxes: list[Box]) -> bytes:
    """Grey out blocks of a baseline JPEG without decoding the others (jpegtran of libjpeg-turbo)."""
    for box in boxes:
        place = f"{box.right - box.left}x{box.bottom - box.top}+{box.left}+{box.top}"
        done = subprocess.run(
            ["/usr/bin/jpegtran", "-copy", "none", "-wipe", place], input=frame, capture_output=True, check=False
        )
        if done.returncode or not done.stdout:
            raise Refused(
                "imaging.encode", "JPEG 블록을 지울 수 없습니다.", "has a JPEG stream whose blocks cannot be wiped."
            )
        frame = done.stdout
    return frame


def _fill(picture: Picture) -> Any:
    """Give the value that blanks: black as it is stored."""
    if picture.photometric.startswith("YBR_F") and picture.samples == 3:  # noqa: PLR2004 - colour
        return [0, 128, 128]
    if picture.photometric == "MONOCHROME1":
        return (1 << picture.stored - picture.signed) - 1
    return 0
