"""A picture made anew from its pixels, inside the sealed child."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from enclave.airlock.rules import CheckRules

EDGE = 1600


def draw_picture(content: bytes) -> tuple[bytes, int, int]:
    """Return a PNG of at most 1600 × 1600 px and the picture's own width and height; no bytes if it is too large."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
        width, height = picture.size
        if width * height > CheckRules().max_pixels:
            return b"", width, height
        # New pixels in a new image: no chunk, profile or trailing byte of the original comes along.
        pixels = ImageOps.exif_transpose(picture).convert("RGBA" if "A" in picture.getbands() else "RGB")
        pixels.thumbnail((EDGE, EDGE))
        clean = Image.new(pixels.mode, pixels.size)
        clean.paste(pixels)
    out = io.BytesIO()
    clean.save(out, "PNG")
    return out.getvalue(), width, height
