"""Where letters are in a picture: PP-OCRv4's detector (DB; Liao et al. 2020), found and never read.

Reading is not needed to blank, and readers miss Hangul that the detector finds. The model is the ONNX file in the wheel
of `rapidocr-onnxruntime` (Apache-2.0), run by onnxruntime alone: none of that wheel's code is imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deid.imaging.wheels import wheel_file

WHEEL, MODEL = "rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx"
STEP = 32  # the network halves five times
SHORT_SIDE = 736  # px; smaller pictures are enlarged to it, as the model was trained
LARGEST_ENLARGED = 800_000  # px
TILE, OVERLAP = 1536, 96  # px; larger pictures are searched tile by tile, so that memory does not grow with them
SMALLEST = 3  # px of the network's map
WIDER = 1.6  # how much of its area over its edge a find is widened by: the model marks the cores of lines
ALONG = 0.35  # of its height, by which a line is widened at its ends: first and last letters are half seen
CERTAIN = 0.5  # mean probability inside a find
Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Box:
    """Where letters are, in pixels of the picture: [top, bottom) by [left, right).

    `sure` is the detector's mean probability inside (0 to 1); a place is the same place however sure.
    """

    top: int
    bottom: int
    left: int
    right: int
    sure: float = field(default=1.0, compare=False)

    @property
    def short(self) -> int:
        """The shorter side, px."""
        return min(self.bottom - self.top, self.right - self.left)


@cache
def _session() -> Any:
    import onnxruntime  # noqa: PLC0415 - seconds to load, for files whose pixels are searched

    options = onnxruntime.SessionOptions()
    # Files are what runs side by side; a thread pool in each process only waits for the others.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(wheel_file(WHEEL, MODEL)), options, providers=["CPUExecutionProvider"])


@cache
def _given_back() -> Any:
    """Let go of what a look took: pictures of other sizes fit into none of it, and it would grow with each kind."""
    import onnxruntime  # noqa: PLC0415 - as above

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def find(grey: Grey, *, threshold: float, certain: float = CERTAIN, scale: float | None = None) -> list[Box]:
    """Find letters in an 8-bit picture; `threshold` (0 to 1) is of the map, `certain` of a find's mean.

    A part of a picture is searched at the `scale` of the whole.
    """
    height, width = grey.shape
    enlarged = scale or scale_of(height, width)
    found: list[Box] = []
    for top in _starts(height):
        for left in _starts(width):
            part = grey[top : top + TILE, left : left + TILE]
            found += [
                replace(b, top=b.top + top, bottom=b.bottom + top, left=b.left + left, right=b.right + left)
                for b in _find(part, (threshold, certain), enlarged)
            ]
    return found


def _starts(length: int) -> range:
    return range(0, max(length - OVERLAP, 1), TILE - OVERLAP)


def scale_of(height: int, width: int) -> float:
    """Enlarge a small picture, as far as the whole stays within `LARGEST_ENLARGED`; never make one smaller."""
    wanted = SHORT_SIDE / min(height, width)
    return max(1.0, min(wanted, math.sqrt(LARGEST_ENLARGED / (height * width))))


def _find(grey: Grey, limits: tuple[float, float], scale: float) -> list[Box]:
    height, width = grey.shape
    rows, columns = (max(STEP, round(side * scale / STEP) * STEP) for side in (height, width))
    enlarged = np.asarray(Image.fromarray(grey).resize((columns, rows), Image.Resampling.BILINEAR), np.float32)
    given = np.repeat((enlarged / 127.5 - 1.0)[None, None], 3, axis=1)
    session = _session()
    (map_,) = session.run(None, {session.get_inputs()[0].name: given}, _given_back())
    return _boxes(map_[0, 0], limits, (height, width))


def _boxes(chances: NDArray[np.float32], limits: tuple[float, float], size: tuple[int, int]) -> list[Box]:
    from scipy import ndimage  # noqa: PLC0415 - as onnxruntime

    labels, _ = ndimage.label(chances > limits[0], structure=np.ones((3, 3)))
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        inside = labels[rows, columns] == number
        sure = float(chances[rows, columns][inside].mean())
        if min(high, wide) < SMALLEST or sure < limits[1]:
            continue
        more = high * wide * WIDER / (2 * (high + wide))
        place = _scaled((rows, columns), (more, more + min(high, wide) * ALONG), chances.shape, size)
        found.append(replace(place, sure=sure))
    return found


def _scaled(
    place: tuple[slice, slice], more: tuple[float, float], map_size: tuple[int, ...], size: tuple[int, int]
) -> Box:
    (rows, columns), (high, wide) = place, size
    down, across = high / map_size[0], wide / map_size[1]
    vertical, horizontal = more if rows.stop - rows.start <= columns.stop - columns.start else more[::-1]
    return Box(
        max(0, int((rows.start - vertical) * down)),
        min(high, int(np.ceil((rows.stop + vertical) * down))),
        max(0, int((columns.start - horizontal) * across)),
        min(wide, int(np.ceil((columns.stop + horizontal) * across))),
    )
