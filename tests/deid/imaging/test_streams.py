"""Comments, application data and tails are out of compressed streams, and what they decode to is the same."""

from __future__ import annotations

import io
import random
from contextlib import suppress

import jpeg_ls
import numpy as np
import openjpeg.utils
import pytest
from PIL import Image

from deid.folder.format import Refused
from deid.imaging.frames import encapsulated, frames
from deid.imaging.streams import j2k, jpeg, rle

SECRET = "홍길동 12345678".encode()
PICTURE = np.asarray(Image.effect_noise((64, 48), 40))


def _jpeg(**how: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG", comment=SECRET, **how)
    data = buffer.getvalue()
    exif = b"Exif\0\0" + SECRET
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:] + SECRET


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(progressive: bool) -> None:
    data = _jpeg(progressive=progressive)
    bare = jpeg.stripped(data)
    assert SECRET in data
    assert SECRET not in bare
    assert b"Exif" not in bare
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(bare))), np.asarray(Image.open(io.BytesIO(data))))
    assert jpeg.stripped(bare) == bare


def test_jpeg_ls() -> None:
    stream = bytes(jpeg_ls.encode_array(PICTURE))
    marked = stream[:2] + b"\xff\xfe" + (len(SECRET) + 2).to_bytes(2, "big") + SECRET + stream[2:] + SECRET
    bare = jpeg.stripped(marked)
    assert SECRET not in bare
    assert np.array_equal(np.frombuffer(jpeg_ls.decode_pixel_data(bare)[0], np.uint8).reshape(PICTURE.shape), PICTURE)


@pytest.mark.parametrize("boxed", [0, 1])
def test_jpeg_2000(boxed: int) -> None:
    stream = openjpeg.utils.encode_array(PICTURE, 8, codec_format=boxed)
    place = stream.index(b"\xff\x52")
    marked = stream[:place] + b"\xff\x64" + (len(SECRET) + 4).to_bytes(2, "big") + b"\0\1" + SECRET + stream[place:]
    if boxed:  # a box of length 0 reaches to the end of the file
        box = marked.index(b"jp2c")
        marked = marked[: box - 4] + bytes(4) + marked[box:]
    bare = j2k.stripped(marked + SECRET)
    assert SECRET not in bare
    assert bare[:2] == b"\xff\x4f"
    assert np.array_equal(openjpeg.decode(bare), PICTURE)


def test_rle() -> None:
    row = bytes([0xFB, 7, 0x01, 1, 2])  # six times 7, then 1 and 2
    header = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    bare = rle.stripped(header[:8] + SECRET[:56].ljust(56, b"\0") + row + SECRET, 8)
    assert bare[64:] == row + b"\0"
    assert SECRET[:10] not in bare


@pytest.mark.parametrize("strip", [jpeg.stripped, j2k.stripped, lambda data: rle.stripped(data, 4096)])
def test_a_damaged_stream_is_refused_and_never_a_crash(strip: object) -> None:
    draw = random.Random(1)
    samples = [_jpeg(), openjpeg.utils.encode_array(PICTURE, 8), bytes(jpeg_ls.encode_array(PICTURE))]
    for _ in range(300):
        data = bytearray(draw.choice(samples))
        for _ in range(3):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with suppress(Refused):  # anything else is a crash
            strip(bytes(data[: draw.randrange(2, len(data))]))  # type: ignore[operator]


@pytest.mark.parametrize("made", [[b"\xff\xd8a"], [b"\xff\xd8a", b"\xff\xd8bcd", b"\xff\xd8e"]])
def test_frames_come_back_as_they_were(made: list[bytes]) -> None:
    found = frames(encapsulated(made), len(made))
    assert [each.rstrip(b"\0") for each in found] == made


def test_a_frame_in_several_fragments_is_told_by_how_frames_begin() -> None:
    item = b"\xfe\xff\x00\xe0"
    value = (
        item
        + bytes(4)
        + b"".join(item + len(each).to_bytes(4, "little") + each for each in (b"\xff\xd8ab", b"cd", b"\xff\xd8ef"))
    )
    assert frames(value, 2) == [b"\xff\xd8abcd", b"\xff\xd8ef"]
    with pytest.raises(Refused):
        frames(value, 4)


def test_a_last_run_goes_on_behind_no_pixel() -> None:
    pixels = bytes(range(100))
    frame = np.zeros(64, np.uint8).tobytes()
    frame = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    runs = bytes([63]) + pixels[:64] + bytes([35 + len(SECRET)]) + pixels[64:] + SECRET
    bare = rle.stripped(frame + runs, 100)
    assert SECRET[:4] not in bare
    assert bare == frame + bytes([63]) + pixels[:64] + bytes([35]) + pixels[64:]
    # A run of one value that is longer than the picture is left: nothing can be written with it.
    assert rle.stripped(frame + bytes([257 - 120, 7]), 100) == frame + bytes([257 - 120, 7])


@pytest.mark.parametrize("marker", [0xDC, 0xF3, 0x8F, 0xC8])
def test_segments_that_no_decoder_reads_are_gone(marker: int) -> None:
    data = _jpeg()
    marked = data[:2] + bytes([0xFF, marker]) + (len(SECRET) + 2).to_bytes(2, "big") + SECRET + data[2:]
    assert SECRET not in jpeg.stripped(marked)
    assert Image.open(io.BytesIO(jpeg.stripped(marked))).size == (64, 48)


def test_a_last_tile_that_tells_no_length_ends_where_the_stream_does() -> None:
    stream = bytes(openjpeg.utils.encode_array(PICTURE, 8))
    tile = stream.index(b"\xff\x90")
    opened = stream[: tile + 6] + bytes(4) + stream[tile + 10 :]
    assert j2k.stripped(opened + SECRET + b"\xff\xd9") == j2k.stripped(stream)
