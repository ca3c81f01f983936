"""JPEG and PNG stills: metadata gone, letters blanked, all other pixels as they were."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from deid.folder.format import Context, Refused
from deid.imaging.letters.finder import MODEL, WHEEL
from deid.imaging.wheels import has_files
from deid.signal.stills.jpeg import Jpeg
from deid.signal.stills.png import Png
from tests.deid.signal.planted import Planted, hits, leaks, person
from tests.deid.signal.running import Runner

SIZE = (320, 240)


def _picture(text: str = "") -> Image.Image:
    """A soft picture without letters, as a fundus is; with `text` in its corner where it is asked for."""
    down, across = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    round_ = np.hypot(down - 120, across - 160)
    colours = [np.clip(top - round_ * slope, 0, 255) for top, slope in ((210, 0.9), (110, 0.5), (60, 0.2))]
    image = Image.fromarray(np.stack(colours, -1).astype(np.uint8))
    if text:
        ImageDraw.Draw(image).text((12, 10), text, fill=(255, 255, 255), font=ImageFont.load_default(20))
    return image


def _jpeg(who: Planted, image: Image.Image, turned: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = turned, who.latin, who.doctor
    exif[0x010F], exif[0x8825] = who.serial, {2: (35.0, 9.0, 36.0), 4: (126.0, 51.0, 4.0)}
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif, comment=f"{who.korean} {who.phone}".encode("cp949", "replace"))
    return out.getvalue() + _plain(image) + who.note.encode()


def _plain(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def _png(who: Planted, image: Image.Image, mode: str) -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", who.latin)
    told.add_text("Comment", who.note, zip=True)
    told.add_itxt("Title", who.korean, zip=True)
    told.add(b"tIME", struct.pack(">HBBBBB", who.start.year, who.start.month, who.start.day, 1, 2, 3))
    told.add(b"prIv", who.phone.encode())
    out = io.BytesIO()
    image.convert(mode).save(out, "PNG", pnginfo=told)
    return out.getvalue() + who.serial.encode() * 5


@pytest.fixture(autouse=True)
def _detector() -> None:
    if not has_files(WHEEL, MODEL):
        pytest.skip("locks/models.txt is not installed")


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_a_jpeg_keeps_its_blocks_and_how_it_is_turned(run: Runner, turned: int) -> None:
    who = person(1)
    made = _jpeg(who, _picture(), turned)
    done = run(Jpeg(), f"{who.korean}.JPG", made)
    assert leaks(who, done.folder) == []
    old, new = Image.open(io.BytesIO(made)), Image.open(done.file)
    assert np.array_equal(np.asarray(old), np.asarray(new))
    assert dict(new.getexif()) == ({0x0112: turned} if turned > 1 else {})
    assert done.outcome.notes.get("letters") is None


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1", "LA"])
def test_a_png_keeps_its_pixels_bit_for_bit(run: Runner, mode: str) -> None:
    who = person(2)
    image = _picture() if mode != "1" else Image.new("1", SIZE)
    made = _png(who, image, mode)
    done = run(Png(), f"{who.korean}.png", made)
    assert leaks(who, done.folder) == []
    new = Image.open(done.file)
    assert (new.mode, new.info.keys() - {"transparency"}) == (mode, set())
    assert np.array_equal(np.asarray(new), np.asarray(image.convert(mode)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_letters_are_blanked_and_little_else(run: Runner, kind: str) -> None:
    who = person(3)
    image = _picture(f"{who.number} {who.latin}")
    made = _jpeg(who, image) if kind == "JPEG" else _png(who, image, "RGB")
    done = run(Jpeg() if kind == "JPEG" else Png(), "a.bin", made)
    bare, old, new = (np.asarray(each.convert("L")).astype(int) for each in (_picture(), image, Image.open(done.file)))
    letters = abs(old - bare) > 60
    assert letters.sum() > 300
    # Black in a PNG, the middle grey of a block in a JPEG: where letters were, one tone is.
    assert (abs(new[letters] - np.median(new[letters])) < 12).mean() > 0.95
    assert abs(np.median(new[letters]) - 255) > 100
    assert (abs(new - old)[60:] <= 3).all()


def test_what_hides_behind_packed_pixels_goes(run: Runner) -> None:
    who = person(4)
    rows = b"".join(b"\0" + bytes(range(30)) for _ in range(30))
    hidden = f"{who.latin} {who.phone}".encode()
    header = struct.pack(">IIBBBBB", 30, 30, 8, 0, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for packed in (zlib.compress(rows + hidden, 0), zlib.compress(rows, 0) + hidden):
        made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
        done = run(Png(), "a.png", made)
        assert leaks(who, done.folder) == []
        assert np.asarray(Image.open(done.file)).tolist() == [list(range(30))] * 30


PNG = _png(person(5), _picture(), "RGB")
JPEG = _jpeg(person(5), _picture())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PNG[:500], "signal.truncated"),
        (PNG.replace(b"IDAT", b"IDAX", 1), "signal.picture"),
        (PNG[:8] + PNG[8:].replace(struct.pack(">II", *SIZE), struct.pack(">II", 1 << 30, 1 << 30)), "signal.picture"),
        (JPEG[: len(_plain(_picture())) // 2], "imaging.stream"),
        (JPEG[:2] + b"\xff\xe1\xff\xff", "imaging.stream"),
    ],
    ids=range(5),
)
def test_what_is_damaged_is_refused(run: Runner, data: bytes, code: str) -> None:
    form = Png() if data[:1] == b"\x89" else Jpeg()

    assert run.refused(form, "a", data) == code


TINY = {Jpeg: _jpeg(person(6), _picture().resize((20, 16))), Png: _png(person(6), _picture().resize((20, 16)), "RGB")}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from([Jpeg, Png]), data=st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, form, data) -> None:
    damaged = bytearray(TINY[form])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + 2] = data.draw(st.binary(min_size=1, max_size=3))
    try:
        out = b"".join(form().clean(bytes(damaged), Context(people, None, "a")).pieces)
    except Refused:
        return
    assert [kind for kind in hits(person(6), out) if kind in {"latin", "phone", "note", "serial", "doctor"}] == []
