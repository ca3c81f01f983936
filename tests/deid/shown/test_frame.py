"""A frame as it is shown: the numbers that pydicom gives too, in units, in the window that the file asks for."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

from deid.folder.format import Refused
from deid.shown.frame import MOST_PIXELS, Frame, frame_of
from deid.shown.pair import EDGE, pair_of
from deid.shown.window import Window

pytestmark = pytest.mark.filterwarnings("ignore")


def file(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def written(data: Dataset) -> bytes:
    out = io.BytesIO()
    data.save_as(out)
    return out.getvalue()


def slice_() -> Dataset:
    return dcmread(str(get_testdata_file("CT_small.dcm")))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("CT_small.dcm", 1), ("MR_small.dcm", 1), ("MR_small_RLE.dcm", 1), ("MR_small_jp2klossless.dcm", 1),
        ("MR_small_bigendian.dcm", 1), ("JPEG-LL.dcm", 1), ("JPEG2000.dcm", 1), ("emri_small.dcm", 7),
        ("emri_small_jpeg_ls_lossless.dcm", 10), ("emri_small_RLE.dcm", 3), ("693_J2KR.dcm", 1),
    ],
)  # fmt: skip
def test_grey_values_are_those_that_are_stored(name: str, number: int) -> None:
    data = dcmread(str(get_testdata_file(name)))
    wanted = data.pixel_array
    assert (frame_of(file(name), number).values == (wanted[number - 1] if wanted.ndim == 3 else wanted)).all()


@pytest.mark.parametrize("name", ["examples_rgb_color.dcm", "SC_rgb_small_odd.dcm", "SC_rgb_rle.dcm"])
def test_colours_are_those_that_are_stored(name: str) -> None:
    assert (frame_of(file(name), 1).values == dcmread(str(get_testdata_file(name))).pixel_array).all()


def test_luminance_and_chroma_become_colours() -> None:
    name = "examples_ybr_color.dcm"
    data = dcmread(str(get_testdata_file(name)))
    assert data.PhotometricInterpretation == "YBR_FULL_422"
    wanted = pixel_array(data, index=1).astype(int)  # pydicom turns it to RGB
    assert np.abs(frame_of(file(name), 2).values.astype(int) - wanted).max() <= 1


def test_a_palette_is_looked_up() -> None:
    from pydicom.pixels import apply_color_lut

    data = dcmread(str(get_testdata_file("examples_palette.dcm")))
    wanted = apply_color_lut(data.pixel_array, data) >> 8
    assert (frame_of(file("examples_palette.dcm"), 1).values == wanted).all()


def test_black_is_white_where_a_file_says_so() -> None:
    data = slice_()
    data.PhotometricInterpretation = "MONOCHROME1"
    assert (frame_of(written(data), 1).inverted, frame_of(file("CT_small.dcm"), 1).inverted) == (True, False)


def test_a_window_is_the_files_own_in_units() -> None:
    data = slice_()
    data.WindowCenter, data.WindowWidth = [40, 400], [80, 1500]
    found = frame_of(written(data), 1)
    assert (found.window, found.scale.slope, found.scale.intercept) == (Window(40, 80), 1, -1024)


def test_a_table_of_values_is_the_window_between_black_and_white() -> None:
    data, item = slice_(), Dataset()
    item.add_new(0x00283002, "SS", [100, -50, 16])
    item.add_new(0x00283006, "OW", np.clip((np.arange(100) - 20) * 1000, 0, 60000).astype("<u2").tobytes())
    data.VOILUTSequence = [item]
    found = frame_of(written(data), 1).window
    assert found is not None
    assert found.center == pytest.approx(-50 + 51, abs=2)
    assert found.width == pytest.approx(58, abs=3)


@pytest.mark.parametrize("nonsense", ["", "x", "1e99", "NaN"])
def test_a_window_that_is_none_is_left_to_percentiles(nonsense: str) -> None:
    data = slice_()
    data.add_new(0x00281050, "LO", nonsense)
    data.add_new(0x00281051, "LO", "400")
    body = written(data)
    assert frame_of(body, 1).window is None
    made = pair_of(body, body, 1)
    assert made.own is None
    units = slice_().pixel_array * 1.0 - 1024
    low, high = np.percentile(units, [0.5, 99.5])
    assert (made.even.center, made.even.width) == pytest.approx(((low + high) / 2, high - low), rel=0.02)


def test_numbers_of_a_pair_are_units_again_and_both_have_the_same_offset() -> None:
    before, data = file("CT_small.dcm"), slice_()
    pixels = data.pixel_array.copy()
    pixels[10:20, 10:40] = -2000
    data.PixelData = pixels.tobytes()
    made = pair_of(before, written(data), 1)
    for shown, stored in ((made.before, slice_().pixel_array), (made.after, pixels)):
        assert (shown * made.scale.slope + made.scale.intercept == stored - 1024.0).all()


def test_a_large_picture_is_made_small_and_a_thin_stroke_is_still_seen() -> None:
    data = slice_()
    pixels = np.zeros((2600, 1300), "<u2")
    pixels[1000:1004, 200:1100] = 4000
    data.Rows, data.Columns, data.PixelData, data.PixelRepresentation = 2600, 1300, pixels.tobytes(), 0
    made = pair_of(written(data), written(data), 1)
    assert (made.before.shape, made.full) == ((EDGE, 512), (2600, 1300))
    assert made.before.max() > 1000


def _bomb(rows: int, columns: int, frames: int = 1) -> bytes:
    data = slice_()
    data.Rows, data.Columns, data.NumberOfFrames = rows, columns, frames
    return written(data)


def _still(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("1", (8, 8)).save(out, "PNG")
    made = bytearray(out.getvalue())
    made[16:24] = struct.pack(">II", width, height)
    made[29:33] = struct.pack(">I", zlib.crc32(made[12:29]))
    return bytes(made)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_bomb(65535, 65535), "imaging.size"),
        (_bomb(8000, 8000), "imaging.short"),
        (_bomb(128, 128, 2_000_000_000), "imaging.picture"),
        (_still(60000, 60000), "signal.picture"),
        (_still(60000, 2000), "signal.size"),
        (_still(60000, 1000), "signal.picture"),
        (b"\x89PNG\r\n\x1a\n", "signal.picture"),
        (b"nothing of ours", "signal.picture"),
    ],
    ids=["huge", "cut", "frames", "png", "png-large", "png-damaged", "png-empty", "text"],
)
def test_a_bomb_or_what_is_no_image_is_refused_before_memory_is_taken(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as raised:
        frame_of(data, 1)
    assert raised.value.code == code


@pytest.mark.parametrize(("name", "number"), [("CT_small.dcm", 0), ("CT_small.dcm", 2), ("emri_small.dcm", 11)])
def test_a_frame_that_is_not_there_is_refused(name: str, number: int) -> None:
    with pytest.raises(Refused) as raised:
        frame_of(file(name), number)
    assert raised.value.code == "imaging.frame"


def test_pictures_of_different_sizes_are_no_pair() -> None:
    with pytest.raises(Refused) as raised:
        pair_of(file("CT_small.dcm"), file("MR_small.dcm"), 1)
    assert raised.value.code == "imaging.unlike"


def test_a_still_in_sixteen_bits_and_one_in_colours() -> None:
    grey, colour = io.BytesIO(), io.BytesIO()
    Image.fromarray((np.arange(64 * 64) * 16).reshape(64, 64).astype(np.uint16)).save(grey, "PNG")
    Image.new("RGBA", (9, 9), (10, 20, 30, 255)).save(colour, "PNG")
    made: Frame = frame_of(grey.getvalue(), 1)
    assert (made.values.max(), made.is_colour) == (65520, False)
    assert frame_of(colour.getvalue(), 1).values[0, 0].tolist() == [10, 20, 30]
    assert replace(made).modality == ""
    assert MOST_PIXELS < 1 << 27
