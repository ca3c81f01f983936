"""Where an SVG element is drawn: the corners of paths and lists of points, and transforms (SVG 2 §8, §9)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]
UNMOVED: Matrix = (1, 0, 0, 1, 0, 0)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
COMMAND = re.compile(r"[MmLlHhVvCcSsQqTtAaZz]")
FLAG = re.compile(r"[01]")
BETWEEN = re.compile(r"[\s,]*")
TRANSFORM = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
# How many numbers each command takes at a time; the last two are where it ends.
TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
ARC_FLAGS = (3, 4)


def numbers(text: str) -> list[float]:
    """Return all numbers of a list such as ``points``."""
    return [float(found.group()) for found in NUMBER.finditer(text)]


def pairs(text: str) -> list[Point]:
    """Return the corners of a polygon or polyline."""
    found = numbers(text)
    return list(zip(found[::2], found[1::2], strict=False))


def corners(path: str) -> Iterator[list[Point]]:
    """Yield the corners of each part of a path (where each segment ends); what cannot be read ends it."""
    part: list[Point] = []
    here, start = (0.0, 0.0), (0.0, 0.0)
    for command, values in _segments(path):
        upper = command.upper()
        if upper == "Z":
            here = start
            continue
        here = _end(upper, values, here, is_relative=command.islower())
        if upper == "M":
            if part:
                yield part
            part, start = [], here
        part.append(here)
    if part:
        yield part


def _end(command: str, values: list[float], here: Point, *, is_relative: bool) -> Point:
    base_x, base_y = here if is_relative else (0.0, 0.0)
    if command == "H":
        return base_x + values[-1], here[1]
    if command == "V":
        return here[0], base_y + values[-1]
    return base_x + values[-2], base_y + values[-1]


def _segments(path: str) -> Iterator[tuple[str, list[float]]]:
    at = BETWEEN.match(path).end()  # type: ignore[union-attr]  # it matches everywhere
    command = ""
    while at < len(path):
        letter = COMMAND.match(path, at)
        if letter is not None:
            command, at = letter.group(), letter.end()
        elif command in {"", "Z", "z"}:
            return
        values, at = _values(path, at, command)
        if len(values) != TAKES[command.upper()]:
            return
        yield command, values
        command = {"M": "L", "m": "l"}.get(command, command)
        at = BETWEEN.match(path, at).end()  # type: ignore[union-attr]


def _values(path: str, at: int, command: str) -> tuple[list[float], int]:
    values: list[float] = []
    for place in range(TAKES[command.upper()]):
        at = BETWEEN.match(path, at).end()  # type: ignore[union-attr]
        # The two flags of an arc may stand without anything between them and the next number.
        pattern = FLAG if command.upper() == "A" and place in ARC_FLAGS else NUMBER
        found = pattern.match(path, at)
        if found is None:
            break
        values.append(float(found.group()))
        at = found.end()
    return values, at


def transform(text: str) -> Matrix:
    """Return the matrix of a ``transform`` attribute."""
    matrix = UNMOVED
    for name, inside in TRANSFORM.findall(text):
        matrix = joined(matrix, _matrix(name, numbers(inside)))
    return matrix


def joined(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the matrix that does ``inner`` first and ``outer`` then."""
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)


def moved(point: Point, matrix: Matrix) -> Point:
    """Return where a point comes to lie."""
    a, b, c, d, e, f = matrix
    return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f


def _matrix(name: str, values: list[float]) -> Matrix:
    first, second = (*values, 0.0, 0.0)[:2]
    if name == "matrix" and len(values) == len(UNMOVED):
        return tuple(values)  # type: ignore[return-value]  # six numbers
    if name == "translate":
        return (1, 0, 0, 1, first, second)
    if name == "scale":
        return (first, 0, 0, second if len(values) > 1 else first, 0, 0)
    if name == "rotate":
        return _turned(math.radians(first), values[1:3])
    slope = math.tan(math.radians(first))
    return {"skewX": (1, 0, slope, 1, 0, 0), "skewY": (1, slope, 0, 1, 0, 0)}.get(name, UNMOVED)


def _turned(angle: float, around: list[float]) -> Matrix:
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = (*around, 0.0, 0.0)[:2]
    return (cosine, sine, -sine, cosine, x - cosine * x + sine * y, y - sine * x - cosine * y)
