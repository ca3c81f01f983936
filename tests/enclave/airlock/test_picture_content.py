"""What stands in a picture: letters are read, hidden pixels are found, a redrawn picture holds only what is seen."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from enclave.airlock.figures import letters
from enclave.airlock.figures.redraw import redraw
from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

RULES = CheckRules()
FONT = "/usr/share/fonts/truetype/nanum/NanumGothic.ttf"


def png(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def jpeg(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def written(text: str, *, size: int = 24, ink: str = "black", paper: str = "white") -> Image.Image:
    picture = Image.new("RGB", (640, 200), paper)
    ImageDraw.Draw(picture).text((20, 60), text, font=ImageFont.truetype(FONT, size), fill=ink)
    return picture


def turned(text: str) -> Image.Image:
    return written(text).transpose(Image.Transpose.ROTATE_90)


def look(content: bytes) -> FileReport:
    name = "figure.jpg" if content.startswith(b"\xff\xd8") else "figure.png"
    return inspect(content, name, RULES)


def blocked(content: bytes) -> dict[str, str]:
    return {one.rule: one.place for one in look(content).findings if one.severity is Severity.BLOCK}


@pytest.mark.parametrize(
    ("picture", "rule"),
    [
        (written("주민등록번호 900101-1234568"), "id.rrn"),
        (written("전화 010-2345-6789"), "id.phone"),
        (written("Contact: hong@example.com"), "id.email"),
        (written("환자명: 홍길동"), "id.name"),
        (written("주소: 서울특별시 강남구 테헤란로 123"), "id.address"),
        (written("주민등록번호 900101-1234568", size=13), "id.rrn"),
        (written("주민등록번호 900101-1234568", ink="#888888"), "id.rrn"),
        (written("주민등록번호 900101-1234568", ink="white", paper="#222222"), "id.rrn"),
        (turned("주민등록번호 900101-1234568"), "id.rrn"),
    ],
    ids=["number", "telephone", "e-mail", "name", "address", "small", "grey", "white on dark", "upwards"],
)
@pytest.mark.parametrize("save", [png, jpeg])
def test_an_identifier_among_the_letters_of_a_picture_is_found(picture, rule, save) -> None:
    found = blocked(save(picture))
    assert found[rule].startswith("글자/letters L")


def test_letters_under_half_transparency_are_read_as_they_are_seen() -> None:
    clear = Image.new("RGBA", (640, 200), (0, 0, 0, 0))
    ImageDraw.Draw(clear).text((20, 60), "900101-1234568", font=ImageFont.truetype(FONT, 28), fill=(0, 0, 0, 200))
    assert "id.rrn" in blocked(png(clear))


@pytest.mark.parametrize("text", ["지역별 환자 수 (2010–2021)", "Odds ratio (95% CI)", "0.2  0.4  0.6  0.8  1.0", ""])
def test_the_letters_of_an_honest_figure_stop_nothing(text: str) -> None:
    report = look(png(written(text)))
    assert {one.rule for one in report.findings} == {"image.eye"}
    assert report.verdict is Verdict.WARN


def hidden_picture() -> Image.Image:
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[..., :3] = np.random.default_rng(1).integers(0, 255, (60, 60, 3))
    pixels[:20, :, 3] = 255
    return Image.fromarray(pixels)


def test_a_picture_under_transparent_pixels_is_stopped_and_redrawing_removes_it() -> None:
    content = png(hidden_picture())
    finding = next(one for one in look(content).findings if one.rule == "image.hidden-pixels")
    assert (finding.severity, finding.repairs) == (Severity.BLOCK, ("clean-metadata",))
    cleaned = Image.open(io.BytesIO(redraw(content)))
    assert blocked(redraw(content)) == {}
    assert np.array_equal(np.asarray(cleaned)[:20], np.asarray(hidden_picture())[:20])


def test_lowest_bits_that_vary_on_flat_ground_are_pointed_at_and_a_plain_one_is_not() -> None:
    noise = np.random.default_rng(2).integers(0, 2, (100, 100, 3), dtype=np.uint8)
    assert {one.rule for one in look(png(Image.fromarray(noise | np.uint8(200)))).findings} == {
        "image.noise",
        "image.eye",
    }
    assert {one.rule for one in look(png(Image.new("RGB", (100, 100), "red"))).findings} == {"image.eye"}


def with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "patient 900101-1234568")
    return png(Image.new("RGB", (40, 30), "red"), pnginfo=info)


def with_exif(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "patient 900101-1234568"
    exif[0x0112] = orientation
    half = Image.new("RGB", (40, 30), "red")
    half.paste("blue", (0, 0, 40, 15))
    return jpeg(half, exif=exif, comment=b"secret")


def with_tail() -> bytes:
    return png(Image.new("RGB", (40, 30), "red")) + b"PK\x03\x04 behind the end"


@pytest.mark.parametrize("content", [with_text(), with_exif(), with_tail()], ids=["text", "exif", "behind the end"])
def test_a_redrawn_picture_has_equal_pixels_and_passes(content: bytes) -> None:
    assert {"image.metadata", "image.damaged"} & set(blocked(content))
    finding = next(one for one in look(content).findings if one.rule in {"image.metadata", "image.damaged"})
    assert finding.repairs == ("clean-metadata",)
    cleaned = redraw(content)
    assert Image.open(io.BytesIO(cleaned)).tobytes() == Image.open(io.BytesIO(content)).convert("RGB").tobytes()
    assert {one.rule for one in look(cleaned).findings} == {"image.eye"}


def test_a_redrawn_picture_holds_only_the_chunks_that_draw_it() -> None:
    cleaned, at, names = redraw(with_exif()), 8, []
    while at < len(cleaned):
        (size,) = struct.unpack_from(">I", cleaned, at)
        names.append(cleaned[at + 4 : at + 8])
        at += 12 + size
    assert set(names) == {b"IHDR", b"IDAT", b"IEND"}
    for word in (b"patient", b"secret", b"Exif"):
        assert word not in cleaned


def test_a_photograph_that_says_how_to_turn_it_is_turned() -> None:
    assert Image.open(io.BytesIO(redraw(with_exif(orientation=6)))).size == (30, 40)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", with_text()[:50]])
def test_what_is_no_whole_picture_is_not_redrawn(content: bytes) -> None:
    with pytest.raises((OSError, ValueError, SyntaxError)):
        redraw(content)


def test_without_a_recogniser_a_picture_is_said_to_be_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_folder", lambda: None)
    found = look(png(Image.new("RGB", (40, 30), "white"))).findings
    assert {one.rule for one in found} == {"image.unread", "image.eye"}
