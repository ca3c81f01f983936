"""Pictures leave as pixels only; what a preview shows is drawn anew."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing.picture import draw_picture
from enclave.airlock.worker import inspect

RULES = CheckRules()
SECRET = "900101-1234568"


def png(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG", **options)
    return out.getvalue()


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", **options)
    return out.getvalue()


def text_chunk(key: str, value: str, *, zipped: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text(key, value, zip=zipped)
    return png(pnginfo=info)


def international(value: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Comment", value, zip=True)
    return png(pnginfo=info)


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x010E] = f"patient {SECRET}"  # ImageDescription
    return found


def with_chunk(name: bytes, body: bytes) -> bytes:
    content = png()
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return content[:33] + chunk + content[33:]


def animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def look(content: bytes, rules: CheckRules = RULES) -> dict[str, str]:
    report = inspect(content, "figure.jpg" if content.startswith(b"\xff\xd8") else "figure.png", rules)
    assert SECRET[7:] not in report.to_json()
    return {finding.rule: finding.severity for finding in report.findings}


@pytest.mark.parametrize(
    "content",
    [
        png(),
        jpeg(),
        jpeg(progressive=True),
        text_chunk("Software", "Matplotlib version3.11.0, https://matplotlib.org/"),
    ],
)
def test_a_clean_picture_needs_only_an_eye(content: bytes) -> None:
    assert look(content) == {"image.eye": "WARN"}


@pytest.mark.parametrize(
    "content",
    [
        text_chunk("Comment", SECRET),
        text_chunk("Comment", SECRET, zipped=True),
        international(SECRET),
        jpeg(comment=f"patient {SECRET}".encode()),
        text_chunk("Software", f"patient {SECRET}"),
    ],
)
def test_an_identifier_in_a_picture_is_found(content: bytes) -> None:
    assert look(content)["id.rrn"] == "BLOCK"


@pytest.mark.parametrize(
    "content",
    [
        png(exif=exif()),
        jpeg(exif=exif()),
        jpeg(xmp=b"<x:xmpmeta>patient</x:xmpmeta>"),
        with_chunk(b"eXIf", b"MM\x00*"),
        with_chunk(b"prVt", b"anything"),
        text_chunk("Description", "Table 2"),
        text_chunk("Software", "x" * 500),
        png(icc_profile=random.Random(1).randbytes(9000)),
    ],
)
def test_whatever_is_not_needed_to_draw_is_stopped(content: bytes) -> None:
    assert look(content)["image.metadata"] == "BLOCK"


@pytest.mark.parametrize(
    "content",
    [
        png() + b"PK\x03\x04 a zip behind the picture",
        jpeg() + b"more",
        png()[:-20],
        jpeg()[:-10],
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        png()[:60] + b"\x00" * 20 + png()[80:],
    ],
)
def test_a_picture_that_is_not_whole_or_carries_more_is_stopped(content: bytes) -> None:
    assert "image.damaged" in look(content)


def test_a_picture_with_too_many_pixels_is_stopped_before_it_is_unpacked() -> None:
    assert "image.damaged" in look(png(), CheckRules(max_pixels=1000))
    bomb = bytearray(png())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    assert "image.damaged" in look(bytes(bomb))


def test_a_small_colour_profile_is_pointed_at() -> None:
    assert look(png(icc_profile=b"x" * 100)) == {"image.profile": "WARN", "image.eye": "WARN"}


def test_an_animation_is_stopped() -> None:
    found = look(animated())
    assert "BLOCK" in found.values()


@pytest.mark.parametrize("content", [text_chunk("Comment", SECRET), jpeg(exif=exif()), png(icc_profile=b"x" * 100)])
def test_a_preview_holds_only_pixels(content: bytes) -> None:
    shown, _, _ = draw_picture(content)
    assert SECRET.encode() not in shown
    names = {shown[at : at + 4] for at in range(len(shown))} & {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"}
    assert names == set()


def test_a_preview_is_at_most_1600_pixels_wide_and_high() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4000, 1000), "red").save(out, "PNG")
    png, width, height = draw_picture(out.getvalue())
    assert (width, height) == (4000, 1000)
    assert Image.open(io.BytesIO(png)).size == (1600, 400)


def test_a_picture_report_never_passes_without_a_person() -> None:
    assert inspect(png(), "a.png", RULES).verdict is Verdict.WARN
