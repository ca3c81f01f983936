"""A picture made anew from its pixels: the one-step repair `clean-metadata` (R58).

Pure: bytes in, the bytes of a PNG out. The pixels that can be seen are equal; colours under wholly see-through pixels,
which cannot, become black. No chunk, profile, comment or trailing byte of the original comes along.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG")


def redraw(content: bytes) -> bytes:
    """Return the picture as a PNG of pixels alone. Raises `OSError` or `ValueError` for what is no whole picture."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        picture.load()
        turned = ImageOps.exif_transpose(picture)
    return as_png(_plain(turned))


def as_png(picture: Image.Image) -> bytes:
    """Write pixels as a PNG with nothing else in it."""
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        drawn = picture.convert("RGBA")
        seen = drawn.getchannel("A").point(lambda opacity: 255 if opacity else 0)
        return Image.composite(drawn, Image.new("RGBA", drawn.size), seen)
    return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")
