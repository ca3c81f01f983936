"""What runs inside the sealed child that looks at images: two open files, one frame of each, as bare numbers.

The answer is one line of JSON (sizes, window) and then the pixels of both as they lie in memory, little-endian: whoever
reads it needs no parser of pictures.
"""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import asdict
from typing import Any

import numpy as np

from deid.folder.format import Refused
from deid.shown.pair import Pair, pair_of
from enclave.frames.warming import stills, warm_decoders


def warm() -> None:
    """Show one frame of every kind once, so that nothing has to be imported after the sealing."""
    warm_decoders()
    for data in stills():
        told(data, data, 1)


def run(job: dict[str, Any], descriptor: int) -> bytes:
    """Show frame `job["frame"]` of the file at `descriptor` and of the one it was made into (`job["descriptors"]`)."""
    return told(_mapped(descriptor), _mapped(job["descriptors"][0]), int(job["frame"]))


def told(before: bytes | memoryview, after: bytes | memoryview, number: int) -> bytes:
    """Say what a frame looks like, or, as JSON alone, the code of why it cannot be shown."""
    try:
        pair = pair_of(before, after, number)
    except Refused as refusal:
        return json.dumps({"why": refusal.code}).encode() + b"\n"
    kind = "u1" if pair.before.ndim > 2 else "<u2"  # noqa: PLR2004 - colour
    pixels = [np.ascontiguousarray(each, kind).tobytes() for each in (pair.before, pair.after)]
    return b"".join([json.dumps(_about(pair)).encode(), b"\n", *pixels])


def _about(pair: Pair) -> dict[str, Any]:
    return {
        "rows": int(pair.before.shape[0]),
        "columns": int(pair.before.shape[1]),
        "colour": pair.before.ndim > 2,  # noqa: PLR2004 - rows, columns, channels
        "full": pair.full,
        "slope": pair.scale.slope,
        "intercept": pair.scale.intercept,
        "own": asdict(pair.own) if pair.own else None,
        "even": asdict(pair.even),
        "inverted": pair.inverted,
        "modality": pair.modality,
    }


def _mapped(descriptor: int) -> memoryview:
    """Lay a file into memory without reading what nobody asks for; it stays so until this process ends."""
    return memoryview(mmap.mmap(descriptor, os.fstat(descriptor).st_size, prot=mmap.PROT_READ))
