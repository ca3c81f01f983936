"""An object's pixels searched for letters and blanked: which places, in which frames, in the syntax they are stored in.

Letters of a device stand still, so a few frames and what all of them show together are searched, and each frame that
brings something new; what is found is blanked where it stands. A frame in which nothing is blanked keeps its bytes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging import codec
from deid.imaging.elements import DataSet, ascii_text
from deid.imaging.letters.finder import CERTAIN, Box, find, scale_of
from deid.imaging.letters.follow import followed
from deid.imaging.letters.greys import grey
from deid.imaging.letters.many import overview, stands_in
from deid.imaging.letters.stroke import believed
from deid.imaging.letters.views import View, views
from deid.imaging.picture import Picture
from deid.imaging.recipe import LetterRules

Array = NDArray[Any]
SINGLY = 3  # frames searched by themselves; of more, what they show together and what is new in one (`many.py`)
SMALLEST = 24  # px: nothing smaller holds letters that can be read
BESIDE = 160  # px around a find in which the rest of its line is looked for
AROUND = 64  # px around edges that a view alone has in which it is searched
MODALITY = 0x00080060
BASELINE_BITS = 8
DOUBTFUL = 0.1  # of mean probability, around `CERTAIN`: a find in between is told to reviewers as doubtful
# Why a picture is doubtful. `near-threshold`: a place was blanked, but barely. `below-threshold`: one was left, barely.
NEAR, BELOW = "near-threshold", "below-threshold"


@dataclass(frozen=True)
class Found:
    """Places to be blanked, and what the finder doubts of them or of what it left (NEAR, BELOW), sorted.

    `held` says of each place in which frames (from 0) it is blanked; left out: in all.
    """

    boxes: list[Box]
    doubts: tuple[str, ...] = ()
    held: tuple[frozenset[int], ...] = ()

    def of(self, frame: int) -> list[Box]:
        """Give the places of one frame."""
        held = self.held or (None,) * len(self.boxes)
        return [box for box, frames in zip(self.boxes, held, strict=True) if frames is None or frame in frames]


@dataclass(frozen=True)
class Line:
    """A line that was found: where, and the stored frame it was found in."""

    box: Box
    stored: Array


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
        singly = {0, count // 2, count - 1} if count > SINGLY else set(range(count))
        together = overview(count, frame) if count > SINGLY else None
        looks = [self._look(frame(number)) for number in sorted(singly | set(together.new if together else ()))]
        if together:
            looks += [self._look(together.brightest), self._look(together.darkest)]
        lines = [line for found, _ in looks for line in found]
        doubts = {doubt for _, doubted in looks for doubt in doubted}
        boxes = merged([line.box for line in lines])
        return Found(boxes, tuple(sorted(doubts)), self._held(boxes, lines, frame) if together else ())

    def _held(self, boxes: list[Box], lines: list[Line], frame: Callable[[int], Array]) -> tuple[frozenset[int], ...]:
        """Tell in which frames places are blanked: what stands in one alone costs the others nothing."""
        held: list[set[int]] = [set() for _ in boxes]
        for number in range(self.picture.frames) if boxes else ():
            stored = frame(number)
            seen = grey(stored, self.picture, self.data)
            standing = [line.box for line in lines if stands_in(line.box, line.stored, stored, seen)]
            for box, numbers in zip(boxes, held, strict=True):
                if any(_overlap(box, each) for each in standing):
                    numbers.add(number)
        return tuple(map(frozenset, held))

    def _look(self, stored: Array) -> tuple[list[Line], set[str]]:
        looks = [self._look_at(view) for view in views(stored, self.picture, self.data)]
        lines = [Line(box, stored) for found, _ in looks for box in found]
        return lines, {doubt for _, doubted in looks for doubt in doubted}

    def _look_at(self, view: View) -> tuple[list[Box], set[str]]:
        modality, largest, seen = ascii_text(self.data.find(MODALITY)), self.rules.largest, view.seen
        limits = self.rules.threshold, CERTAIN - DOUBTFUL
        nearly = _find_near(seen, view.places, AROUND, limits) if view.places else _find(seen, limits)
        drawn = believed(nearly, seen, largest=largest, modality=modality)
        found = [box for box in drawn if box.sure >= CERTAIN]
        doubts = {NEAR} if any(box.sure < CERTAIN + DOUBTFUL for box in found) else set()
        if found:
            # A line that was half seen ends at a blanked place: the next look finds the rest of it, and only that.
            again = _beside(softened(seen, found), found, self.rules.threshold / 2)
            found += believed(again, seen, largest=largest, modality=modality)
        made = [followed(box, seen) for box in found]
        if any(box.sure < CERTAIN and not any(_overlap(box, each) for each in made) for box in drawn):
            doubts.add(BELOW)
        return made, doubts


def _beside(seen: NDArray[np.uint8], found: list[Box], threshold: float) -> list[Box]:
    """Find what touches finds."""
    ends = _find_near(seen, found, BESIDE, (threshold, 2 * threshold))
    return [end for end in ends if any(touches(end, each) for each in found)]


def _find_near(seen: NDArray[np.uint8], places: Sequence[Box], around: int, limits: tuple[float, float]) -> list[Box]:
    """Look only around places, at the scale of the whole: a look at a whole picture costs as much as the first."""
    height, width = seen.shape
    wider = [
        Box(max(each.top - around, 0), min(each.bottom + around, height),
            max(each.left - around, 0), min(each.right + around, width))
        for each in places
    ]  # fmt: skip
    return [
        replace(found, top=found.top + part.top, bottom=found.bottom + part.top,
                left=found.left + part.left, right=found.right + part.left)
        for part in merged(wider)
        for found in _find(seen[part.top : part.bottom, part.left : part.right], limits, scale_of(height, width))
    ]  # fmt: skip


def _find(seen: NDArray[np.uint8], limits: tuple[float, float], scale: float | None = None) -> list[Box]:
    threshold, certain = limits
    return find(seen, threshold=threshold, certain=certain, scale=scale)


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


def blank_native(value: bytes | memoryview, picture: Picture, found: Found) -> memoryview:
    """Fill the places in native frames, in one copy; the rest stays bit for bit."""
    copied = bytearray(value)
    pixels = native_frames(copied, picture)
    for number in range(picture.frames):
        for box in found.of(number):
            pixels[number, box.top : box.bottom, box.left : box.right] = _fill(picture)
    return memoryview(copied)


def blank_frames(made: list[bytes], syntax: str, picture: Picture, found: Found) -> tuple[list[bytes], str]:
    """Fill the places in encapsulated frames; gives frames and the transfer syntax they are now in."""
    target = codec.INSTEAD.get(syntax, syntax)
    if syntax == codec.EXTENDED and codec.depth(made[0], syntax) == BASELINE_BITS:
        target = syntax
    places = [found.of(number) for number in range(len(made))]
    if target in {codec.BASELINE, codec.EXTENDED}:
        return [wiped(frame, boxes) for frame, boxes in zip(made, places, strict=True)], syntax
    return [
        _again(frame, syntax, target, picture, boxes) if boxes or target != syntax else frame
        for frame, boxes in zip(made, places, strict=True)
    ], target


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
