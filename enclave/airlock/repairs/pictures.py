"""Repairs whose result is a picture: `clean-metadata` of PNG and JPEG, `rasterise` of SVG and PDF (R58, R59)."""

from __future__ import annotations

from collections.abc import Callable

from enclave.airlock.figures.rasterise import rasterise
from enclave.airlock.figures.redraw import redraw
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.rules import CheckRules


def clean_metadata(content: bytes, name: str, rules: CheckRules) -> tuple[str, bytes]:
    """Return a PNG of the same pixels with nothing else in it. Raises `RepairRefused`."""
    del name, rules
    return _drawn(redraw, content)


def as_pixels(content: bytes, name: str, rules: CheckRules) -> tuple[str, bytes]:
    """Return a PNG of what a figure looks like. Raises `RepairRefused`."""
    del name, rules
    return _drawn(rasterise, content)


def _drawn(draw: Callable[[bytes], bytes], content: bytes) -> tuple[str, bytes]:
    try:
        return ".png", draw(content)
    except (OSError, ValueError, SyntaxError):
        raise RepairRefused(
            "repair.picture",
            "이 파일은 그림으로 그릴 수 없습니다. 만든 프로그램에서 PNG로 저장하세요.",
            "This file cannot be drawn. Save it as PNG in the program that made it.",
        ) from None
