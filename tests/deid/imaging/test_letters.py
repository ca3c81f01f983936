"""Letters are found in Hangul and Latin, anatomy is not, and only the places of letters change, in every syntax."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import jpeg_ls
import numpy as np
import openjpeg
import openjpeg.utils
import pytest
from PIL import Image, ImageDraw, ImageFont

from deid.imaging.elements import DataSet, Element, Syntax
from deid.imaging.letters.finder import Box
from deid.imaging.letters.greys import grey
from deid.imaging.letters.look import Found, Search, blank_frames, blank_native, merged
from deid.imaging.letters.route import LOOK, SAMPLE, SPARE, route
from deid.imaging.picture import Picture
from deid.imaging.recipe import LetterRules
from tests.bench.imaging_pictures import KINDS, bones, planar
from tests.deid.imaging import head

FONT = "/usr/share/fonts/truetype/nanum/NanumGothic.ttf"
SHAPE = (400, 512)
PICTURE = Picture(*SHAPE, 1, 1, 8, 8, 7, signed=False, planar=False, photometric="MONOCHROME2", padding=None, order="<")
NOTHING = DataSet([], Syntax(explicit=True, little=True), "")


def tissue() -> np.ndarray:
    small = np.random.default_rng(4).integers(20, 110, (14, 18), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize(SHAPE[::-1], Image.Resampling.BICUBIC)).copy()


def drawn(text: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Give a picture with the text in three sizes, and the ink of each."""
    inks = []
    for size, top in ((14, 40), (20, 160), (28, 290)):
        ink = Image.new("L", SHAPE[::-1], 0)
        ImageDraw.Draw(ink).text((40, top), text, fill=255, font=ImageFont.truetype(FONT, size))
        inks.append(np.asarray(ink))
    mask = np.maximum.reduce(inks)
    return np.where(mask > 0, np.maximum(tissue(), mask), tissue()), [each > 128 for each in inks]


def boxes(frame: np.ndarray) -> list[Box]:
    return Search(PICTURE, NOTHING, LetterRules()).boxes(lambda _: frame)


@pytest.mark.parametrize("text", ["홍길동 00123456", "생년월일 1980-03-02", "HONG GILDONG", "ID: P0012345"])
def test_letters_are_found(text: str) -> None:
    frame, inks = drawn(text)
    covered = np.zeros(SHAPE, bool)
    for box in boxes(frame):
        covered[box.top : box.bottom, box.left : box.right] = True
    assert [covered[ink].mean() > 0.95 for ink in inks] == [True, True, True]
    assert covered.mean() < 0.12


def test_soft_shapes_are_no_letters() -> None:
    assert boxes(tissue()) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_misleads_a_detector_costs_no_picture_more_than_a_hundredth(kind: Callable[..., np.ndarray]) -> None:
    assert _covered(kind(np.random.default_rng(0)), "NM" if kind in {bones, planar} else "OT").mean() <= 0.01


@pytest.mark.parametrize("kind", [bones, planar], ids=lambda kind: kind.__name__)
def test_letters_among_counts_are_found(kind: Callable[..., np.ndarray]) -> None:
    frame = Image.fromarray(kind(np.random.default_rng(3)))
    ink = Image.new("L", frame.size, 0)
    for image in (frame, ink):
        ImageDraw.Draw(image).text((6, 12), "홍길동 M 45Y", fill=255, font=ImageFont.truetype(FONT, 14))
    assert _covered(np.asarray(frame), "NM")[np.asarray(ink) > 128].mean() > 0.95


def _covered(frame: np.ndarray, modality: str) -> np.ndarray:
    bits = 8 * frame.itemsize
    picture = replace(PICTURE, rows=frame.shape[0], columns=frame.shape[1], allocated=bits, stored=bits, high=bits - 1)
    data = DataSet([Element(0x00080060, "CS", modality.encode())], Syntax(explicit=True, little=True), "")
    covered = np.zeros(frame.shape, bool)
    for box in Search(picture, data, LetterRules()).boxes(lambda _: frame):
        covered[box.top : box.bottom, box.left : box.right] = True
    return covered


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal"])
def test_the_folds_of_a_real_brain_are_no_letters_and_a_line_over_them_is(plane: str) -> None:
    """Coarse slices, whose folds have hard edges; the line as a workstation writes it, from side to side."""
    in_vain, left = [], []
    for stored in head.cut(plane).stored[6:27:2]:
        in_vain.append(_covered(stored, "MR").mean())
        ink = Image.new("L", stored.shape[::-1], 0)
        ImageDraw.Draw(ink).text((20, 80), "홍길동 00123456", fill=255, font=ImageFont.truetype(FONT, 12))
        weight = np.asarray(ink) / 255
        written = (stored * (1 - weight) + int(stored.max()) * weight).astype(stored.dtype)
        left.append(1 - _covered(written, "MR")[weight > 0.5].mean())
    assert np.mean(in_vain) < 0.005
    assert max(left) < 0.05


def test_places_that_overlap_become_one() -> None:
    assert merged([Box(0, 10, 0, 10), Box(20, 30, 0, 10), Box(5, 25, 5, 15)]) == [Box(0, 30, 0, 15)]


PLACE = Box(48, 80, 32, 96)


def _same_elsewhere(before: np.ndarray, after: np.ndarray, *, block: int = 1) -> None:
    inside = np.zeros(before.shape[:2], bool)
    top, left = PLACE.top // block * block, PLACE.left // block * block
    inside[top : -(-PLACE.bottom // block) * block, left : -(-PLACE.right // block) * block] = True
    assert (before[~inside] == after[~inside]).all()
    assert after[PLACE.top : PLACE.bottom, PLACE.left : PLACE.right].std() == 0


def test_native_pixels_change_in_their_places_alone() -> None:
    frame = drawn("홍길동")[0].astype(np.uint8)
    after = np.frombuffer(blank_native(frame.tobytes(), PICTURE, Found([PLACE])), np.uint8).reshape(SHAPE)
    _same_elsewhere(frame, after)


def _jpeg(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _show_jpeg(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _show_ls(data: bytes) -> np.ndarray:
    return np.frombuffer(jpeg_ls.decode_pixel_data(data)[0], np.uint8).reshape(SHAPE)


SYNTAXES = {
    "1.2.840.10008.1.2.4.50": (_jpeg, _show_jpeg, 8),
    "1.2.840.10008.1.2.4.80": (lambda frame: bytes(jpeg_ls.encode_array(frame)), _show_ls, 1),
    "1.2.840.10008.1.2.4.90": (lambda frame: openjpeg.utils.encode_array(frame, 8), openjpeg.decode, 1),
}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_frames_stay_in_their_syntax_and_change_in_their_places_alone(syntax: str) -> None:
    make, show, block = SYNTAXES[syntax]
    frame = drawn("홍길동")[0].astype(np.uint8)
    stored = make(frame)
    (after,), target = blank_frames([stored], syntax, PICTURE, Found([PLACE]))
    assert target == syntax
    _same_elsewhere(show(stored), show(after), block=block)


def test_a_dark_value_blanks_what_is_shown_inverted() -> None:
    inverted = replace(PICTURE, photometric="MONOCHROME1")
    after = np.frombuffer(blank_native(bytes(SHAPE[0] * SHAPE[1]), inverted, Found([PLACE])), np.uint8).reshape(SHAPE)
    assert after[50, 40] == 255


def _object(modality: str, kind: str, burned: str = "") -> DataSet:
    said = {0x00080060: modality, 0x00080008: kind, 0x00280301: burned}
    return DataSet(
        [Element(tag, "CS", value.encode()) for tag, value in said.items()], Syntax(explicit=True, little=True), ""
    )


@pytest.mark.parametrize(
    ("modality", "kind", "burned", "verdict"),
    [
        ("US", "ORIGINAL\\PRIMARY", "NO", LOOK),
        ("CT", "ORIGINAL\\PRIMARY\\AXIAL", "", SPARE),
        ("CT", "ORIGINAL\\PRIMARY\\AXIAL", "YES", LOOK),
        ("CT", "DERIVED\\SECONDARY", "", LOOK),
        ("MR", "", "", LOOK),
        ("ZZ", "ORIGINAL\\PRIMARY", "", LOOK),
        ("SEG", "DERIVED\\PRIMARY", "", SPARE),
    ],
)
def test_which_pictures_are_searched(modality: str, kind: str, burned: str, verdict: str) -> None:
    rules = LetterRules(always=frozenset({"US"}))
    assert route(_object(modality, kind, burned), rules, "1.2.840.10008.5.1.4.1.1.2", 1) == verdict


def test_every_nth_spared_picture_is_searched_all_the_same() -> None:
    found = [route(_object("CT", "ORIGINAL\\PRIMARY"), LetterRules(sample_every=10), "", lot) for lot in range(30)]
    assert found.count(SAMPLE) == 3


LOOKS = """
import re, sys
import numpy as np
from pathlib import Path
from deid.imaging.letters.finder import find
for _ in range(4):
    find(np.zeros((512, 512), np.uint8), threshold=0.3)
    print(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def test_looking_at_many_pictures_needs_no_more_memory_than_looking_at_one() -> None:
    done = subprocess.run([sys.executable, "-c", LOOKS], capture_output=True, text=True, check=True)
    first, *_, last = map(int, done.stdout.split())
    assert last <= 1.1 * first


@pytest.mark.parametrize("entries", [16, 256, 300])
def test_a_palette_of_any_length_is_looked_through(entries: int) -> None:
    tones = np.arange(entries, dtype="<u2") * 100
    data = DataSet(
        [Element(0x00281202, "OW", tones.tobytes())], Syntax(explicit=True, little=True), "1.2.840.10008.1.2.1"
    )
    indices = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    shown = grey(indices, replace(PICTURE, photometric="PALETTE COLOR", rows=64, columns=256), data)
    assert shown[0, 0] == 0
    assert shown[0, min(entries, 256) - 1] == shown.max()


def _written(frame: np.ndarray, tone: object, place: tuple[int, int] = (60, 180)) -> np.ndarray:
    """Write a line into a copy of a frame; gives where its ink is, too."""
    ink = Image.new("L", SHAPE[::-1])
    ImageDraw.Draw(ink).text(place, "홍길동 00123456", fill=255, font=ImageFont.truetype(FONT, 24))
    return np.where((np.asarray(ink) > 127)[..., None] if frame.ndim > 2 else np.asarray(ink) > 127, tone, frame)


def _left(before: np.ndarray, clean: np.ndarray, boxes: list[Box]) -> float:
    inside = np.zeros(SHAPE, bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    ink = before != clean
    return float((ink.any(axis=2) if ink.ndim > 2 else ink)[~inside].sum() / ink.sum())


@pytest.mark.parametrize(("tone", "where"), [(255, 5), (0, 7)])
def test_a_line_that_one_frame_of_many_has_is_blanked_there_alone(tone: int, where: int) -> None:
    quiet = (tissue() * 0.5 + 60).astype(np.uint8)
    frames, picture = [quiet] * 17, replace(PICTURE, frames=17)
    frames[where] = _written(quiet, tone).astype(np.uint8)
    found = Search(picture, NOTHING, LetterRules()).found(lambda number: frames[number])
    left = [_left(frames[where], quiet, found.of(number)) for number in range(17)]
    assert [number for number in range(17) if left[number] < 1] == [where]
    assert left[where] < 0.1
    value = b"".join(each.tobytes() for each in frames)
    after = np.frombuffer(blank_native(value, picture, found), np.uint8).reshape(17, *SHAPE)
    changed = [(after[number] != frames[number])[180:210, 60:250].any() for number in range(17)]
    assert [number for number in range(17) if changed[number]] == [where]


def test_a_counter_is_blanked_in_every_frame() -> None:
    quiet = (tissue() * 0.5 + 60).astype(np.uint8)
    frames = []
    for number in range(8):
        image = Image.fromarray(quiet)
        ImageDraw.Draw(image).text((40, 40), f"2026-03-02 10:11:{number:02}", 255, ImageFont.truetype(FONT, 20))
        frames.append(np.asarray(image))
    found = Search(replace(PICTURE, frames=8), NOTHING, LetterRules()).found(lambda number: frames[number])
    assert all(_left(frames[number], quiet, found.of(number)) < 0.1 for number in range(8))


@pytest.mark.parametrize("tone", [(0, 0, 255), (168, 87, 0), (255, 0, 0)])
def test_letters_as_bright_as_what_is_behind_them_are_found_by_their_colour(tone: tuple[int, int, int]) -> None:
    clean = np.full((*SHAPE, 3), 85, np.uint8)
    frame = _written(clean, tone).astype(np.uint8)
    picture = replace(PICTURE, samples=3, photometric="RGB")
    assert _left(frame, clean, Search(picture, NOTHING, LetterRules()).boxes(lambda _: frame)) < 0.1


@pytest.mark.parametrize("way", ["window", "rare"])
def test_letters_in_a_narrow_window_or_a_rare_tone_are_found(way: str) -> None:
    clean = tissue().astype(np.uint16) * 4 + 3000
    tone = 2400
    said = []
    if way == "window":
        clean, tone = tissue().astype(np.uint16) * 2, 700
        clean[:100] = 65000
        said = [Element(0x00281050, "DS", b"400"), Element(0x00281051, "DS", b"1000")]
    frame = _written(clean, tone).astype(np.uint16)
    picture = replace(PICTURE, allocated=16, stored=16, high=15)
    data = DataSet(said, Syntax(explicit=True, little=True), "")
    assert _left(frame, clean, Search(picture, data, LetterRules()).boxes(lambda _: frame)) < 0.1
