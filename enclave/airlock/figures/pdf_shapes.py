"""The shapes a page of a PDF draws, where they stand on it; what is small and drawn as a unit is one dot."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from enclave.airlock.figures.shapes import SMALL, Shape
from enclave.airlock.figures.svg_path import UNMOVED, Matrix, Point, joined, moved
from enclave.airlock.figures.svg_shapes import MOST, TooMany, visits

DEEPEST = 8
CURVE_POINTS = 3  # of one Bézier segment


@dataclass
class _Page:
    width: float
    height: float
    drawn: int = 0

    def shape(self, points: list[Point], corners: int, *, look: str = "", is_closed: bool = False) -> Shape:
        self.drawn += 1
        if self.drawn > MOST:
            raise TooMany
        across, down = [x for x, _ in points], [y for _, y in points]
        sides = len({round(x, 2) for x in across}), len({round(y, 2) for y in down})
        return Shape(
            (min(across) + max(across)) / 2 / self.width,
            (min(down) + max(down)) / 2 / self.height,
            (max(across) - min(across)) / self.width,
            (max(down) - min(down)) / self.height,
            corners,
            look=look,
            is_box=is_closed and sides == (2, 2),
        )


def shapes(page: pypdfium2.PdfPage) -> Iterator[Shape]:
    """Yield every shape drawn on a page; letters set as text are none. Raises `TooMany`."""
    width, height = page.get_size()
    canvas = _Page(max(width, 1.0), max(height, 1.0))
    count = raw.FPDFPage_CountObjects(page.raw)
    for number in range(count):
        yield from _shapes(raw.FPDFPage_GetObject(page.raw, number), UNMOVED, canvas, 0)


def _shapes(drawn: object, outer: Matrix, canvas: _Page, depth: int) -> Iterator[Shape]:
    kind = raw.FPDFPageObj_GetType(drawn)
    if kind == raw.FPDF_PAGEOBJ_PATH:
        yield from _paths(drawn, joined(outer, _matrix(drawn)), canvas)
    elif kind == raw.FPDF_PAGEOBJ_FORM:
        corners = [moved(corner, outer) for corner in _bounds(drawn)]
        whole = canvas.shape(corners, 1, look="form")
        if max(whole.width, whole.height) <= SMALL:
            yield whole
            return
        if depth >= DEEPEST:
            raise TooMany
        inner = joined(outer, _matrix(drawn))
        for number in range(raw.FPDFFormObj_CountObjects(drawn)):
            yield from _shapes(raw.FPDFFormObj_GetObject(drawn, number), inner, canvas, depth + 1)
    elif kind == raw.FPDF_PAGEOBJ_SHADING:
        yield canvas.shape([moved(corner, outer) for corner in _bounds(drawn)], 1)


def _paths(path: object, matrix: Matrix, canvas: _Page) -> Iterator[Shape]:
    points: list[Point] = []
    curves = 0
    is_closed = False
    for number in range(raw.FPDFPath_CountSegments(path)):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO and points:
            yield canvas.shape(points, _corners(points, curves), is_closed=is_closed)
            points, curves = [], 0
        curves += kind == raw.FPDF_SEGMENT_BEZIERTO
        is_closed = bool(raw.FPDFPathSegment_GetClose(segment))
        points.append(moved(_point(segment), matrix))
        if len(points) > MOST:
            raise TooMany
    if points:
        yield canvas.shape(points, _corners(points, curves), is_closed=is_closed)


def _corners(points: list[Point], curves: int) -> int:
    return max(1, visits(points) - curves + curves // CURVE_POINTS)


def _point(segment: object) -> Point:
    x, y = ctypes.c_float(), ctypes.c_float()
    raw.FPDFPathSegment_GetPoint(segment, x, y)
    return x.value, y.value


def _matrix(drawn: object) -> Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(drawn, found):
        return UNMOVED
    return (found.a, found.b, found.c, found.d, found.e, found.f)


def _bounds(drawn: object) -> list[Point]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(drawn, left, bottom, right, top):
        return [(0.0, 0.0)]
    return [(left.value, bottom.value), (right.value, top.value)]
