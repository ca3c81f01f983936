"""Made-up pictures without any text, of every kind that is searched for letters: to measure what is blanked in vain.

What misleads a detector is in them: ribs and teeth in rows, hot spots, catheters, speckle, wires, markers, edges.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Grey = np.ndarray
Draw = np.random.Generator


def _soft(draw: Draw, shape: tuple[int, int], coarse: int, low: int, high: int) -> Grey:
    small = draw.integers(low, high, (shape[0] // coarse + 2, shape[1] // coarse + 2), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)


def _noisy(draw: Draw, picture: Grey, sigma: float) -> Grey:
    return np.clip(picture + draw.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def _drawn(shape: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw], None], blur: float) -> Grey:
    image = Image.new("L", shape[::-1], 0)
    paint(ImageDraw.Draw(image))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), np.float32)


def chest(draw: Draw) -> Grey:
    """A chest X-ray: two lungs, ribs, a catheter."""
    shape = (1000, 1000)

    def ribs(pen: ImageDraw.ImageDraw) -> None:
        for number in range(9):
            top = 120 + 85 * number + int(draw.integers(-8, 8))
            pen.arc((80, top, 480, top + 260), 180, 350, fill=70, width=22)
            pen.arc((520, top, 920, top + 260), 190, 360, fill=70, width=22)
        pen.line([(300, 0), (380, 300), (470, 520)], fill=110, width=4)

    lungs = _drawn(
        shape,
        lambda pen: (pen.ellipse((120, 150, 460, 850), fill=110), pen.ellipse((540, 150, 880, 850), fill=110)),
        25,
    )
    return _noisy(draw, 150 + _soft(draw, shape, 60, 0, 40) - lungs + _drawn(shape, ribs, 2), 5)


def mammogram(draw: Draw) -> Grey:
    """A mammogram: one dark side, dense strands, clusters of calcifications."""
    shape = (1100, 900)
    breast = _drawn(shape, lambda pen: pen.ellipse((-500, 100, 640, 1000), fill=120), 12) / 120

    def lime(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(60):
            x, y = draw.normal(260, 30), draw.normal(520, 25)
            pen.ellipse((x, y, x + 2, y + 2), fill=200)

    dense = _soft(draw, shape, 18, 30, 150) * 0.6 + _soft(draw, shape, 70, 30, 110) * 0.6
    return _noisy(draw, breast * dense + _drawn(shape, lime, 0.5), 3)


def head(draw: Draw) -> Grey:
    """An MR of a head: a bright ring, folds, ventricles."""
    rows, columns = np.mgrid[:512, :512] - 256.0
    radius = np.hypot(rows, columns * 1.15)
    folds = 90 + 50 * np.sin(radius / 7 + 5 * np.sin(np.arctan2(rows, columns) * 9)) * (radius > 60)
    return _noisy(draw, np.where(radius < 190, folds, 0) + 170 * (np.abs(radius - 205) < 9), 8)


def bones(draw: Draw) -> Grey:
    """A whole-body bone scan: counts, a row of spots down a spine, ribs."""
    shape = (1024, 256)
    rate = np.full(shape, 0.6, np.float32)

    def body(pen: ImageDraw.ImageDraw) -> None:
        pen.ellipse((90, 20, 166, 130), fill=90)
        for top in range(150, 520, 22):
            pen.rectangle((120, top, 136, top + 14), fill=150)
        for top in range(170, 380, 30):
            pen.arc((60, top, 196, top + 60), 180, 360, fill=100, width=6)
        for left in (80, 150):
            pen.rectangle((left, 560, left + 18, 980), fill=80)

    rate += _drawn(shape, body, 2.5) / 6
    counts = draw.poisson(rate)
    return np.clip(counts * (255 / np.percentile(counts, 99.8)), 0, 255).astype(np.uint8)


def planar(draw: Draw) -> Grey:
    """A small planar picture of nuclear medicine: few counts, large pixels, two hot organs."""
    rows, columns = np.mgrid[:128, :128]
    rate = (
        0.4
        + 25 * np.exp(-((rows - 60) ** 2 + (columns - 38) ** 2) / 180)
        + 25 * np.exp(-((rows - 64) ** 2 + (columns - 92) ** 2) / 160)
    )
    counts = draw.poisson(rate)
    return np.clip(counts * (255 / counts.max()), 0, 255).astype(np.uint8)


def ultrasound(draw: Draw) -> Grey:
    """A sector of speckle with a cyst, a bright line and its shadow, on black."""
    shape = (600, 800)
    rows, columns = np.mgrid[:600, :800].astype(np.float32)
    radius, angle = np.hypot(rows + 60, columns - 400), np.arctan2(columns - 400, rows + 60)
    inside = (np.abs(angle) < 0.6) & (radius > 120) & (radius < 600)
    grains = np.clip(draw.rayleigh(60, shape), 0, 255).astype(np.uint8)
    speckle = np.asarray(Image.fromarray(grains).filter(ImageFilter.BoxBlur(1)), np.float32)
    picture = np.where(np.hypot(rows - 300, columns - 430) < 60, 6, speckle)
    picture = np.where(np.abs(rows - 420 - 20 * np.sin(columns / 60)) < 4, 230, picture)
    return np.clip(np.where(inside, picture, 0), 0, 255).astype(np.uint8)


def fundus(draw: Draw) -> Grey:
    """A fundus: a disc, vessels that branch, exudates."""
    shape = (900, 900)

    def vessels(pen: ImageDraw.ImageDraw) -> None:
        for turn in np.linspace(0, 2 * np.pi, 12, endpoint=False):
            x, y, way = 620.0, 450.0, turn
            for step in range(70):
                way += draw.normal(0, 0.12)
                x, y, before = x + 8 * np.cos(way), y + 8 * np.sin(way), (x, y)
                pen.line([before, (x, y)], fill=70, width=max(1, 7 - step // 10))

    def spots(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(40):
            x, y = draw.normal(330, 60), draw.normal(450, 60)
            pen.ellipse((x, y, x + 7, y + 5), fill=90)

    eye = _drawn(shape, lambda pen: pen.ellipse((40, 40, 860, 860), fill=120), 4)
    disc = _drawn(shape, lambda pen: pen.ellipse((570, 390, 670, 510), fill=100), 6)
    return _noisy(draw, eye + disc - _drawn(shape, vessels, 1) * (eye > 60) + _drawn(shape, spots, 1), 3)


def endoscopy(draw: Draw) -> Grey:
    """A tube seen from inside: folds, wet glints."""
    shape = (480, 640)
    rows, columns = np.mgrid[:480, :640].astype(np.float32)
    radius = np.hypot(rows - 240, columns - 330)
    tube = 60 + 0.35 * radius + 25 * np.sin(radius / 22 + _soft(draw, shape, 90, 0, 6))

    def glints(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(30):
            x, y = draw.integers(60, 580), draw.integers(40, 440)
            pen.ellipse((x, y, x + int(draw.integers(3, 16)), y + int(draw.integers(2, 6))), fill=150)

    return _noisy(draw, tube + _soft(draw, shape, 40, 0, 40) + _drawn(shape, glints, 0.8), 3)


def teeth(draw: Draw) -> Grey:
    """A panoramic view of two rows of teeth, some filled with metal."""
    shape = (700, 1400)

    def rows(pen: ImageDraw.ImageDraw) -> None:
        for number in range(16):
            x, bow = 180 + 66 * number, int(0.0006 * (66 * number - 500) ** 2)
            for top, length in ((220 - bow, 130), (365 - bow, 130)):
                pen.rounded_rectangle((x, top, x + 50, top + length), 14, fill=110)
                pen.line([(x + 25, top + 20), (x + 25, top + length - 20)], fill=60, width=7)
                if draw.random() < 0.3:
                    pen.rectangle((x + 8, top + 40, x + 40, top + 66), fill=200)

    return _noisy(draw, 60 + _soft(draw, shape, 60, 0, 50) + _drawn(shape, rows, 1.5), 4)


def hand(draw: Draw) -> Grey:
    """A hand X-ray: rows of finger bones with a bright rim each."""
    shape = (1000, 800)

    def fingers(pen: ImageDraw.ImageDraw) -> None:
        for finger in range(5):
            x, y = 160 + 120 * finger, 120 + 60 * abs(finger - 2)
            for length in (90, 120, 180, 200):
                pen.rounded_rectangle((x, y, x + 46, y + length), 18, fill=90, outline=150, width=6)
                y += length + 8

    return _noisy(draw, 30 + _soft(draw, shape, 50, 0, 40) + _drawn(shape, fingers, 1.2), 4)


def vessels(draw: Draw) -> Grey:
    """A subtracted angiography: dark branching lines on an even ground."""
    shape = (800, 800)

    def tree(pen: ImageDraw.ImageDraw) -> None:
        ways = [(400.0, 780.0, -np.pi / 2, 12)]
        while ways:
            x, y, way, wide = ways.pop()
            for _ in range(14):
                way += draw.normal(0, 0.1)
                x, y, before = x + 12 * np.cos(way), y + 12 * np.sin(way), (x, y)
                pen.line([before, (x, y)], fill=110, width=wide)
            if wide > 2:
                ways += [(x, y, way - 0.5, wide - 2), (x, y, way + 0.5, wide - 2)]

    return _noisy(draw, 160 - _drawn(shape, tree, 0.8), 6)


def wires(draw: Draw) -> Grey:
    """A chest with sternal wires, clips and a pacemaker's lead: hard metal, no letter."""
    shape = (900, 900)

    def metal(pen: ImageDraw.ImageDraw) -> None:
        for number in range(6):
            pen.arc((425, 200 + 80 * number, 475, 240 + 80 * number), 0, 320, fill=190, width=5)
        pen.rounded_rectangle((130, 120, 250, 220), 30, fill=190)
        pen.line([(250, 170), (400, 300), (470, 640), (560, 700)], fill=170, width=4)

    return _noisy(draw, 70 + _soft(draw, shape, 60, 0, 60) + _drawn(shape, metal, 0.8), 4)


KINDS: tuple[Callable[[Draw], Grey], ...] = (
    chest, mammogram, head, bones, planar, ultrasound, fundus, endoscopy, teeth, hand, vessels, wires,
)  # fmt: skip
