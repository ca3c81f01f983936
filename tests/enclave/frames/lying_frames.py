"""A sealed worker as one that a hostile image took over: it says what it likes."""

from __future__ import annotations

import json

ABOUT = {
    "rows": 2, "columns": 2, "colour": False, "full": [2, 2], "slope": 1, "intercept": 0, "own": None,
    "even": {"center": 1, "width": 1}, "inverted": False, "modality": "CT",
}  # fmt: skip
LIES = {
    1: b"no json\n",
    2: json.dumps({"why": "<script>alert(1)</script>"}).encode() + b"\n",
    3: json.dumps(ABOUT).encode() + b"\n" + b"\0" * 15,
    4: json.dumps({**ABOUT, "rows": 10**9}).encode() + b"\n" + b"\0" * 16,
    5: b"[1]\n",
}


def warm() -> None:
    """Nothing to import."""


def run(job: dict[str, int], descriptor: int) -> bytes:
    """Lie."""
    return LIES[job["frame"]]
