"""R58: pixels that no eye sees: colours under see-through pixels, and lowest bits that vary where the picture is flat.

The second is only pointed at: a photograph's noise looks the same, and a message spread thinly cannot be told from it.
Nobody can prove that a picture hides nothing; a redrawn one without transparency at least hides nothing under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from enclave.airlock.checks.findings import block, mended_by, warn
from enclave.airlock.report import Finding

HIDDEN_COLOURS = 2  # a tool fills what cannot be seen with one colour
FLAT_PIXELS, NOISY_SHARE = 2_000, 0.1
Plane = npt.NDArray[Any]


def check_pixels(picture: Image.Image, *, is_exact: bool) -> list[Finding]:
    """Look at what is under see-through pixels and, where pixels are stored exactly (PNG), at the lowest bits."""
    found = list(_under_transparency(picture))
    if is_exact and picture.mode in {"L", "RGB", "RGBA", "LA"}:
        found += _lowest_bits(np.asarray(picture.convert("RGB")))
    return found


def _under_transparency(picture: Image.Image) -> Iterator[Finding]:
    if picture.mode != "RGBA":
        return
    pixels = np.asarray(picture)
    hidden = pixels[pixels[..., 3] == 0][:, :3]
    colours = len(np.unique(hidden, axis=0)) if len(hidden) else 0
    if colours > HIDDEN_COLOURS:
        finding = block(
            "image.hidden-pixels",
            f"완전히 투명해 보이지 않는 화소에 서로 다른 색 {colours:,}가지가 들어 있습니다. 숨은 그림일 수 있습니다.",
            f"Wholly transparent pixels hold {colours:,} different colours that nobody sees: a hidden picture?",
        )
        yield mended_by(finding, "clean-metadata")


def _lowest_bits(pixels: Plane) -> Iterator[Finding]:
    upper, lowest = pixels >> 1, pixels & 1
    flat = _equals_neighbours(upper)
    if int(flat.sum()) < FLAT_PIXELS:
        return
    share = float((flat & ~_equals_neighbours(lowest)).sum() / flat.sum())
    if share > NOISY_SHARE:
        yield warn(
            "image.noise",
            f"한 색으로 보이는 곳의 {share:.0%}에서 가장 낮은 비트가 흔들립니다. 사진이거나 숨은 내용입니다.",
            f"The lowest bits vary in {share:.0%} of what looks like one colour: a photograph, or hidden content.",
        )


def _equals_neighbours(values: Plane) -> npt.NDArray[np.bool_]:
    """Whether a pixel equals the ones to its right and below in all channels (last row and column left out)."""
    here = values[:-1, :-1]
    equal: npt.NDArray[np.bool_] = ((here == values[:-1, 1:]) & (here == values[1:, :-1])).all(axis=2)
    return equal
