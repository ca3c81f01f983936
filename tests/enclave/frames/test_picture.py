"""A frame before and after, packed, unpacked and drawn; and the door to the sealed child that decodes it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from enclave.airlock.sealing.pool import SealedPool
from enclave.frames import door
from enclave.frames.door import NotShown, frame_pair, kept_in_memory
from enclave.frames.picture import About, Window, about_from, array_from, packed_pair, pair_from, png

pytestmark = pytest.mark.filterwarnings("ignore")
HERE = Path(__file__).parent


def about(rows: int, columns: int, *, colour: bool = False, inverted: bool = False) -> About:
    return About(rows, columns, colour, (rows, columns), 1.0, -10.0, None, Window(90.0, 200.0), inverted, "US")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.randoms(use_true_random=False))
def test_whatever_was_packed_comes_back(rows: int, columns: int, colour: bool, draw: object) -> None:
    shape = (rows, columns, 3) if colour else (rows, columns)
    most = 256 if colour else 65536
    before, after = (
        np.array([draw.randrange(most) for _ in range(int(np.prod(shape)))])  # type: ignore[attr-defined]
        .reshape(shape)
        .astype(np.uint8 if colour else np.uint16)
        for _ in range(2)
    )
    body = packed_pair(about(rows, columns, colour=colour), before, after).as_bytes()
    pair = pair_from(body)
    assert pair.about == about(rows, columns, colour=colour)
    assert (pair.before() == before).all()
    assert (pair.after() == after).all()
    assert pair.as_bytes() == body


def test_what_is_the_same_after_takes_next_to_nothing() -> None:
    noise = np.random.default_rng(1).integers(0, 4096, (512, 512)).astype(np.uint16)
    first, second = packed_pair(about(512, 512), noise, noise).packed
    assert (len(first) > 200_000, len(second) < 1000) == (True, True)


def test_a_picture_is_drawn_in_its_window() -> None:
    pixels = np.array([[0, 0, 100, 200, 300]], np.uint16)
    for inverted, wanted in ((False, [0, 0, 128, 255, 255]), (True, [255, 255, 128, 0, 0])):
        drawn = png(pixels, about(1, 5, inverted=inverted), Window(90, 200))
        assert np.asarray(Image.open(io.BytesIO(drawn)))[0].tolist() == pytest.approx(wanted, abs=1)


HEAD = {
    "rows": 4, "columns": 4, "colour": False, "full": [4, 4], "slope": 1, "intercept": 0, "own": None,
    "even": {"center": 1, "width": 1}, "inverted": False, "modality": "CT",
}  # fmt: skip


@pytest.mark.parametrize(
    "lie",
    [{"rows": 0}, {"rows": 5000}, {"columns": -1}, {"slope": "inf"}, {"even": {"center": "nan", "width": 1}},
     {"full": []}, {"rows": "x"}],
)  # fmt: skip
def test_a_child_that_lies_about_sizes_is_not_believed(lie: dict[str, object]) -> None:
    with pytest.raises((ValueError, IndexError, TypeError)):
        about_from({**HEAD, **lie})


def test_words_of_a_child_reach_no_page_as_they_are() -> None:
    assert about_from({**HEAD, "modality": "<b>CT</b>" * 9}).modality == "bCTbbCT"
    with pytest.raises(ValueError, match="buffer size"):
        array_from(b"\0" * 31, about_from(HEAD))


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    made = door.pool()
    yield made
    made.close()


def opened(data: bytes) -> int:
    return kept_in_memory([data])


def shown(pool: SealedPool, before: bytes, after: bytes, number: int = 1) -> object:
    first, second = opened(before), opened(after)
    try:
        return frame_pair(pool, first, second, number)
    finally:
        os.close(first)
        os.close(second)


def file(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def test_a_frame_is_shown_out_of_a_sealed_child(pool: SealedPool) -> None:
    assert {"no-new-privileges"} <= set(pool.start() or ("no-new-privileges",))
    pair = shown(pool, file("MR_small_RLE.dcm"), file("MR_small.dcm"))
    wanted = dcmread(str(get_testdata_file("MR_small.dcm"))).pixel_array
    assert (pair.before() * pair.about.slope + pair.about.intercept == wanted).all()  # type: ignore[attr-defined]
    assert (pair.after() == pair.before()).all()  # type: ignore[attr-defined]
    assert pair.about.start == Window(600, 1600)  # type: ignore[attr-defined]


def _resized(rows: int, columns: int) -> bytes:
    data: Dataset = dcmread(str(get_testdata_file("CT_small.dcm")))
    data.Rows, data.Columns = rows, columns
    out = io.BytesIO()
    data.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_resized(65535, 65535), "imaging.size"),
        (_resized(8000, 8000), "imaging.short"),
        (b"\0" * 128 + b"DICM" + b"\1" * 500, "imaging.unreadable"),
        (b"x", "signal.picture"),
        (file("JPEG-lossy.dcm"), "imaging.decode"),
    ],
    ids=["huge", "cut", "rubbish", "letter", "lossy-12-bit"],
)
def test_what_cannot_be_shown_says_why_and_the_next_frame_is_shown_all_the_same(pool, data, why) -> None:
    with pytest.raises(NotShown) as raised:
        shown(pool, data, data)
    assert raised.value.why == why
    shown(pool, file("CT_small.dcm"), file("CT_small.dcm"))


def test_a_file_that_is_too_large_is_not_even_laid_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LARGEST", 1000)
    with pytest.raises(NotShown):
        kept_in_memory([b"0" * 600, b"0" * 600])


def test_a_child_that_was_taken_over_gives_no_picture() -> None:
    lying = SealedPool("lying_frames", folder=HERE, parallel=1)
    try:
        for number in range(1, 6):
            with pytest.raises(NotShown) as raised:
                shown(lying, b"a", b"b", number)
            assert raised.value.why == "frame.failed"
    finally:
        lying.close()


def test_the_worker_says_why_in_one_line() -> None:
    from enclave.frames.worker import told

    assert json.loads(told(b"x", b"x", 1)) == {"why": "signal.picture"}
