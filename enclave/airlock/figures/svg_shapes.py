"""The shapes an SVG draws, where they stand on its canvas; letters that are drawn as shapes are told apart.

A shape used many times (``use``) counts each time. Letters are runs of shapes on one line, one after the other, no
further apart than letters are; whatever stands otherwise is a mark, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

from enclave.airlock.figures.shapes import SAME_PLACE, Count, Shape
from enclave.airlock.figures.svg_path import UNMOVED, Matrix, Point, corners, joined, moved, numbers, pairs, transform

MOST, DEEPEST = 20_000, 8
NOT_DRAWN = frozenset(
    {"defs", "clippath", "mask", "marker", "pattern", "symbol", "metadata", "style", "script", "text"}
)
GLYPH_CORNERS = 400  # of one letter, at most; a Korean syllable has about a hundred
WIDE = 3.0  # letters stand at most so many letter widths apart
LETTER_MARKS = 1  # a text of one character is a dot


class TooMany(Exception):  # noqa: N818 - named for what it says of the figure
    """The figure draws more shapes than are counted, or nests them deeper; ``count`` stands for all of them."""

    def __init__(self) -> None:
        super().__init__("more shapes than are counted")
        self.count = Count(MOST, MOST)


@dataclass(frozen=True)
class _Canvas:
    width: float
    height: float
    named: dict[str, Element]

    def shape(self, points: list[Point], *, look: str = "", is_closed: bool) -> Shape:
        across, down = [x for x, _ in points], [y for _, y in points]
        left, right, top, bottom = min(across), max(across), min(down), max(down)
        unique = {(round(x, 3), round(y, 3)) for x, y in points}
        sides = len({round(x, 3) for x in across}), len({round(y, 3) for y in down})
        return Shape(
            (left + right) / 2 / self.width,
            (top + bottom) / 2 / self.height,
            (right - left) / self.width,
            (bottom - top) / self.height,
            visits(points),
            look=look,
            is_box=is_closed and len(unique) == 4 and sides == (2, 2),  # noqa: PLR2004 - the corners of a rectangle
        )


def visits(points: list[Point]) -> int:
    """Return how many places a line goes to, one after the other; coming back to its start does not count."""
    gone = 1 + sum(before != after for before, after in pairwise(points))
    return gone - 1 if gone > 1 and points[0] == points[-1] else gone


def shapes(root: Element) -> Iterator[Shape]:
    """Yield every shape drawn. Raises `TooMany`."""
    named = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    width, height = _size(root)
    canvas = _Canvas(width, height, named)
    for number, shape in enumerate(_inside(root, UNMOVED, canvas, 0)):
        if number >= MOST:
            raise TooMany
        yield shape


def _size(root: Element) -> tuple[float, float]:
    box = numbers(root.get("viewBox", ""))
    if len(box) == 4 and min(box[2:]) > 0:  # noqa: PLR2004 - x, y, width, height
        return box[2], box[3]
    sides = [(numbers(root.get(name, "")) or [100.0])[0] for name in ("width", "height")]
    return max(sides[0], 1.0), max(sides[1], 1.0)


def _inside(parent: Element, matrix: Matrix, canvas: _Canvas, depth: int) -> Iterator[Shape]:
    letters = _letters(parent, canvas)
    waiting = [(child, matrix) for child in reversed(parent)]
    while waiting:  # no recursion: a figure may nest as deeply as it likes
        element, outer = waiting.pop()
        tag = _tag(element)
        if tag in NOT_DRAWN or not tag or element in letters:
            yield from _dots(element, outer, canvas)
            continue
        here = joined(outer, transform(element.get("transform", "")))
        if tag == "use":
            yield from _used(element, here, canvas, depth)
        elif tag in {"g", "svg", "a", "switch"}:
            letters |= _letters(element, canvas)
            waiting += [(child, here) for child in reversed(element)]
        else:
            yield from _drawn(element, here, canvas)


def _dots(element: Element, matrix: Matrix, canvas: _Canvas) -> Iterator[Shape]:
    # A text of one sign that is no letter and no digit (•, ×) is a dot.
    text = "".join(element.itertext()).strip() if _tag(element) == "text" else ""
    if len(text) == LETTER_MARKS and not text.isalnum():
        here = joined(matrix, transform(element.get("transform", "")))
        place = moved((_number(element, "x"), _number(element, "y")), here)
        yield canvas.shape([place], look=f"text {text}", is_closed=False)


def _used(element: Element, matrix: Matrix, canvas: _Canvas, depth: int) -> Iterator[Shape]:
    name = _reference(element)
    target = canvas.named.get(name)
    if target is None:
        return
    if depth >= DEEPEST:
        raise TooMany
    here = joined(matrix, (1, 0, 0, 1, _number(element, "x"), _number(element, "y")))
    here = joined(here, transform(target.get("transform", "")))
    if _tag(target) in {"g", "symbol", "svg"}:
        yield from _inside(target, here, canvas, depth + 1)
    else:
        yield from _drawn(target, here, canvas, look=name)


def _drawn(element: Element, matrix: Matrix, canvas: _Canvas, *, look: str = "") -> Iterator[Shape]:
    for points, is_closed in _outlines(element):
        if points:
            yield canvas.shape([moved(point, matrix) for point in points], look=look, is_closed=is_closed)


def _outlines(element: Element) -> Iterator[tuple[list[Point], bool]]:
    tag = _tag(element)
    if tag == "path":
        path = element.get("d", "")
        yield from ((part, "z" in path.lower()) for part in corners(path))
    elif tag in {"polygon", "polyline"}:
        yield pairs(element.get("points", "")), tag == "polygon"
    elif tag == "line":
        yield (
            [(_number(element, "x1"), _number(element, "y1")), (_number(element, "x2"), _number(element, "y2"))],
            False,
        )
    elif tag in {"circle", "ellipse"}:
        x, y = _number(element, "cx"), _number(element, "cy")
        across, down = _number(element, "rx", "r"), _number(element, "ry", "r")
        yield [(x - across, y), (x, y - down), (x + across, y), (x, y + down)], False
    elif tag in {"rect", "image"}:
        x, y = _number(element, "x"), _number(element, "y")
        right, bottom = x + _number(element, "width"), y + _number(element, "height")
        yield [(x, y), (right, y), (right, bottom), (x, bottom)], True


def _letters(parent: Element, canvas: _Canvas) -> set[Element]:
    """Return the children of a group that are one run of letters."""
    runs = [child for child in parent if _tag(child) == "use" and _is_glyph(canvas.named.get(_reference(child)))]
    places = [moved((_number(one, "x"), _number(one, "y")), transform(one.get("transform", ""))) for one in runs]
    if not places or len(runs) != sum(1 for child in parent if _tag(child) not in {"", "defs"}):
        return set()
    level = max(y for _, y in places) - min(y for _, y in places)
    widths = [_glyph_width(canvas.named[_reference(one)]) for one in runs]
    usual = max(widths) or 1.0
    steps = [after[0] - before[0] for before, after in pairwise(places)]
    # An inner scale (``scale(0.1 -0.1)``) belongs to the group: places are in the letters' own units, or next to it.
    if level <= max(usual, SAME_PLACE) and all(0 <= step <= WIDE * usual for step in steps):
        return set(runs)
    return set()


def _is_glyph(target: Element | None) -> bool:
    if target is None or _tag(target) != "path":
        return False
    return sum(len(part) for part in corners(target.get("d", ""))) <= GLYPH_CORNERS


def _glyph_width(target: Element) -> float:
    across = [x * transform(target.get("transform", ""))[0] for part in corners(target.get("d", "")) for x, _ in part]
    return max(across, default=0.0) - min(across, default=0.0)


def _tag(element: Element) -> str:
    tag: object = element.tag  # of a comment it is a function
    return tag.rsplit("}", 1)[-1].lower() if isinstance(tag, str) else ""


def _reference(element: Element) -> str:
    for name, value in element.attrib.items():
        if name.rsplit("}", 1)[-1] == "href":
            return value.strip().removeprefix("#")
    return ""


def _number(element: Element, *names: str) -> float:
    for name in names:
        found = numbers(element.get(name, ""))
        if found:
            return found[0]
    return 0.0
