"""R58: pictures are pixels only. The bytes are walked part by part; what is not needed to draw is named and stopped.

What is reviewed is what is released, so nothing is silently cleaned: the repair `clean-metadata` makes a new picture of
the same pixels, which is submitted in its place. Letters are read; a picture always needs a person's eye (WARN).
Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81).
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from enclave.airlock.checks.findings import block, mask, mended_by, warn
from enclave.airlock.checks.identifiers import check_loose_text
from enclave.airlock.checks.letters import check_letters
from enclave.airlock.checks.pixels import check_pixels
from enclave.airlock.report import Finding, Severity
from enclave.airlock.rules import CheckRules

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a picture needs to be drawn, and harmless words on how dense its pixels are.
# fmt: off
PNG_DRAWN = frozenset({
    "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "pHYs", "sBIT", "bKGD", "tIME", "cICP",
})
# fmt: on
PNG_TEXT = frozenset({"tEXt", "zTXt", "iTXt"})
PLAIN_KEYS = frozenset({"Software"})
PLAIN_CHARS = 100
SMALL_PROFILE = 4096
INFLATED = 1 << 16
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
CLEAN = "clean-metadata"
START_OF_SCAN, END_OF_IMAGE, COMMENT, APP0, APP2, APP14 = 0xDA, 0xD9, 0xFE, 0xE0, 0xE2, 0xEE


@dataclass(frozen=True)
class Part:
    """A chunk (PNG) or segment (JPEG) that is not pixels: its name, its size in bytes, its text if it is one."""

    name: str
    size: int
    text: str = ""
    plain: bool = False


class NotWhole(Exception):  # noqa: N818 - named for what it says of the picture
    """The bytes do not follow the format to its end, or go on behind it."""


def check_picture(content: bytes, rules: CheckRules) -> list[Finding]:
    """Walk, decode and judge a PNG or JPEG."""
    try:
        parts = list(_png_parts(content) if content.startswith(PNG_SIGNATURE) else _jpeg_parts(content))
        picture, frames = _decode(content, rules)
    except (NotWhole, OSError, ValueError, SyntaxError, struct.error, zlib.error, Image.DecompressionBombError):
        return [
            mended_by(
                block(
                    "image.damaged",
                    "그림이 온전하지 않거나 너무 크거나, 그림 뒤에 다른 내용이 붙어 있습니다. PNG로 다시 저장하세요.",
                    "The picture is damaged, too large, or carries something behind its end. Save it again as PNG.",
                ),
                CLEAN,
            )
        ]
    scanned = check_loose_text((part.name, part.text) for part in parts if part.text)
    # In the one harmless place, the name of the program that drew it, only what certainly points at a person counts.
    harmless = {part.name for part in parts if part.plain}
    findings = [
        *_judge(parts),
        *(one for one in scanned if one.severity is Severity.BLOCK or one.place not in harmless),
        *check_letters(picture),
        *check_pixels(picture, is_exact=content.startswith(PNG_SIGNATURE)),
    ]
    if frames > 1:
        findings.append(
            block(
                "image.frames", "움직이는 그림은 받지 않습니다.", "Animated pictures are not taken.", place=f"{frames}"
            )
        )
    width, height = picture.size
    findings.append(
        warn(
            "image.eye",
            f"그림({width}×{height})은 사람이 눈으로 확인해야 합니다: 글자, 점 하나하나, 작은 집단.",
            f"A person must look at the picture ({width}×{height}): letters, single points, small groups.",
        )
    )
    return findings


def _decode(content: bytes, rules: CheckRules) -> tuple[Image.Image, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > rules.max_pixels:
                raise NotWhole
            frames = int(getattr(picture, "n_frames", 1))
            picture.load()
            return picture.copy(), frames


def _judge(parts: list[Part]) -> Iterator[Finding]:
    for part in parts:
        if part.plain:
            continue
        if part.name in {"iCCP", "ICC"} and part.size <= SMALL_PROFILE:
            seen = warn("image.profile", "색 프로파일이 들어 있습니다.", "It holds a colour profile.", place=part.name)
            yield mended_by(seen, CLEAN)
        else:
            yield mended_by(
                block(
                    "image.metadata",
                    "그림에 화소가 아닌 내용(메타데이터)이 들어 있습니다. 메타데이터 없이 다시 저장하세요"
                    "(matplotlib: savefig(..., metadata={'Software': None})).",
                    "The picture holds something besides pixels (metadata). Save it again without.",
                    place=f"{part.name} {part.size} B",
                    sample=mask(part.text) if part.text else "",
                ),
                CLEAN,
            )


def _png_parts(content: bytes) -> Iterator[Part]:
    offset, name = len(PNG_SIGNATURE), ""
    while name != "IEND":
        if offset + 12 > len(content):
            raise NotWhole
        (size,) = struct.unpack_from(">I", content, offset)
        name = content[offset + 4 : offset + 8].decode("ascii", "replace")
        body = content[offset + 8 : offset + 8 + size]
        offset += 12 + size
        if name in PNG_TEXT:
            yield _png_text(name, body)
        elif name not in PNG_DRAWN:
            yield Part(name if name.isalpha() else "?", size)
    if offset != len(content):
        raise NotWhole


def _png_text(name: str, body: bytes) -> Part:
    key, _, rest = body.partition(b"\x00")
    label = key.decode("latin-1")
    if name == "zTXt" or (name == "iTXt" and rest[:1] == b"\x01"):
        packed = rest[1:] if name == "zTXt" else rest[2:].split(b"\x00", 2)[-1]
        rest = zlib.decompressobj().decompress(packed, INFLATED)
    text = rest.decode("utf-8", "replace").strip("\x00")
    plain = label in PLAIN_KEYS and len(text) <= PLAIN_CHARS and name == "tEXt"
    return Part(name, len(body), f"{label}: {text}"[:INFLATED], plain=plain)


def _jpeg_parts(content: bytes) -> Iterator[Part]:
    offset = 2
    while True:
        if content[offset : offset + 1] != b"\xff" or offset + 2 > len(content):
            raise NotWhole
        marker = content[offset + 1]
        offset += 2
        if marker == END_OF_IMAGE:
            break
        if marker in JPEG_ALONE:
            continue
        (size,) = struct.unpack_from(">H", content, offset)
        body = content[offset + 2 : offset + size]
        offset += size
        if APP0 <= marker <= APP0 + 15 or marker == COMMENT:
            yield _jpeg_part(marker, body)
        if marker == START_OF_SCAN:
            offset = _behind_scan(content, offset)
    if offset != len(content):
        raise NotWhole


def _jpeg_part(marker: int, body: bytes) -> Part:
    plain = (marker == APP0 and body.startswith(b"JFIF") and len(body) <= 16) or (  # noqa: PLR2004 - JFIF, no thumbnail
        marker == APP14 and body.startswith(b"Adobe") and len(body) <= 16  # noqa: PLR2004 - the fixed Adobe segment
    )
    name = "ICC" if marker == APP2 and body.startswith(b"ICC_PROFILE") else f"APP{marker - APP0}"
    if marker == COMMENT:
        name = "COM"
    text = "" if plain or name == "ICC" else body[:INFLATED].decode("utf-8", "ignore")
    return Part(name, len(body), text, plain=plain)


def _behind_scan(content: bytes, offset: int) -> int:
    # Entropy-coded data runs to the next marker that is neither a stuffed 0xFF00 nor a restart.
    while True:
        offset = content.find(b"\xff", offset)
        if offset < 0 or offset + 1 >= len(content):
            raise NotWhole
        following = content[offset + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7 and following != 0xFF:  # noqa: PLR2004 - T.81 table B.1
            return offset
        offset += 1 if following == 0xFF else 2  # noqa: PLR2004 - fill byte
