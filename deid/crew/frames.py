"""Frames as bytes: what a kernel answers is one frame or several, as Arrow IPC and never as a pickle.

So a worker's answer can hold rows and nothing that runs.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import polars as pl

LENGTH_BYTES = 8


def packed(answer: Any) -> bytes:
    """Write a frame, or a tuple of frames. Raises `TypeError` for anything else."""
    frames = answer if isinstance(answer, tuple) else (answer,)
    found = [bytes([len(frames) if isinstance(answer, tuple) else 0])]
    for frame in frames:
        if not isinstance(frame, pl.DataFrame):
            raise TypeError(type(frame).__name__)
        body = BytesIO()
        frame.write_ipc(body)
        found += [body.getbuffer().nbytes.to_bytes(LENGTH_BYTES), body.getvalue()]
    return b"".join(found)


def unpacked(data: bytes) -> Any:
    """Give what was packed."""
    view, frames, at = memoryview(data), [], 1
    while at < len(view):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(view[start - LENGTH_BYTES : start])
        frames.append(pl.read_ipc(BytesIO(view[start:at])))
    return tuple(frames) if data[0] else frames[0]
