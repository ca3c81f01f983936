"""The door to frames of images: decoded in a sealed child, made small there, and taken out as bare numbers.

The images are a hospital's, and yet whoever made one can have reached the archive from outside: no decoder of images
runs in a process that holds keys or the database.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable

from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool
from enclave.frames.picture import EDGE, FramePair, about_from, array_from, packed_pair

WORKER = "enclave.frames.worker"
CODE = re.compile(r"[a-z]+([.-][a-z]+){0,4}")
LARGEST = 1 << 30  # bytes of a file of which a frame is shown
# A frame of 64 megapixels in 16 bits, as floating-point numbers, and what a decoder takes beside it.
LIMITS = Limits(timeout_s=60.0, memory_bytes=3 << 30, answer_bytes=2 * EDGE * EDGE * 3 + (1 << 16))


class NotShown(Exception):  # noqa: N818 - what became of it
    """A frame cannot be shown; `why` is a stable code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def pool() -> SealedPool:
    """Make the server of sealed children; it starts with the first frame, and ends when it is closed."""
    return SealedPool(WORKER, parallel=1)


def frame_pair(sealed: SealedPool, before: int, after: int, number: int) -> FramePair:
    """Show frame `number` (from 1) of the open file `before` and of `after`, made of it. Raises `NotShown`."""
    if max(os.fstat(each).st_size for each in (before, after)) > LARGEST:
        raise NotShown("imaging.size")
    try:
        answer = sealed.run({"frame": number}, before, LIMITS, (after,)).body
        line, _, pixels = answer.partition(b"\n")
        head = json.loads(line)
        if "why" in head:
            raise NotShown(_code(head["why"]))
        about = about_from(head)
        half = len(pixels) // 2
        return packed_pair(about, array_from(pixels[:half], about), array_from(pixels[half:], about))
    except (SealedFailure, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise NotShown("frame.failed") from error


def kept_in_memory(chunks: Iterable[bytes], name: str = "frame") -> int:
    """Lay bytes into a file without a name, in memory alone; returns its descriptor, which the caller closes.

    Raises `NotShown` once there are more than are shown.
    """
    with os.fdopen(os.memfd_create(name, os.MFD_CLOEXEC), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > LARGEST:
                raise NotShown("imaging.size")
        file.flush()
        return os.dup(file.fileno())


def _code(said: object) -> str:
    """Take a child's word for a code only where it is the form of one."""
    return str(said) if CODE.fullmatch(str(said)[:80]) else "frame.failed"
