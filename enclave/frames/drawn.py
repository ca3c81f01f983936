"""One side of an opened frame as a PNG, for browsers without scripts and for programs."""

from __future__ import annotations

from enclave.commands.frame_sample import OpenedFrame
from enclave.errors import NotFound
from enclave.frames.picture import Window, png

BEFORE, AFTER = SIDES = ("before", "after")


def drawn(opened: OpenedFrame, side: str, window: Window | None) -> bytes:
    """Draw a side in a window (None: the one it is shown in first). Raises `NotFound` (`sample.no-picture`)."""
    if opened.pair is None or side not in SIDES:
        raise NotFound(
            "sample.no-picture",
            ko="이 장면은 보여 줄 수 없거나 그런 그림이 없습니다.",
            en="This frame cannot be shown, or there is no such picture.",
            remedy_ko="before나 after를 쓰고, 보여 줄 수 없는 장면이면 원본 쪽에서 확인하세요.",
            remedy_en="Ask for before or after; look at a frame that cannot be shown where its source is.",
        )
    pixels = opened.pair.before() if side == BEFORE else opened.pair.after()
    return png(pixels, opened.pair.about, window or opened.pair.about.start)
