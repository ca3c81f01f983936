"""A sealed worker that answers something else than a report; the file's name says what."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

HONEST = {"verdict": "PASS", "name": "x", "sha256": "0" * 64, "kind": "table", "findings": [], "rows": 1, "columns": 1}
PIECE = {"kind": "table", "path": ["\u202e"], "needed": True, "units": 1, "columns": 1}
PAGE = {"start": 0, "matching": 1, "size": 1, "numbers": [0], "columns": [1], "rows": [[{"a": "\u202e"}]]}
OPENED = {"kind": "table", "pieces": [PIECE], "pages": {}, "left_out": 0}


def warm() -> None:
    """Nothing to import."""


def sleep() -> bytes:
    time.sleep(60)
    return b"{}"


def what_is_open() -> bytes:
    found = {}
    for descriptor in (0, 1, 2, 3, *range(5, 1 << 10)):  # 4 is where the answer goes
        try:
            found[descriptor] = os.pread(descriptor, 100, 0).decode()
        except OSError:
            continue
    return json.dumps(found).encode()


BLOCKED = {"rule": "r", "severity": "BLOCK", "ko": "", "en": "", "place": "", "sample": ""}
ANSWERS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "what is open": what_is_open,
    "rubbish": lambda: os.urandom(100),
    "deep": lambda: b"[" * 100_000,
    "too much": lambda: b"x" * (40 << 20),
    "wrong verdict": lambda: json.dumps({**HONEST, "sealed": [], "findings": [BLOCKED]}).encode(),
    "sleep": sleep,
    "exit": lambda: os._exit(0),
    "honest about another file": lambda: json.dumps({**HONEST, "sealed": ["everything"]}).encode(),
    "script for a picture": lambda: json.dumps({"width": 1, "height": 1, "png": "PHNjcmlwdD4="}).encode(),
    "another kind": lambda: json.dumps({**OPENED, "kind": "picture"}).encode(),
    "no pieces": lambda: json.dumps({**OPENED, "pieces": []}).encode(),
    "a page of no piece": lambda: json.dumps({**OPENED, "pages": {"7": PAGE}}).encode(),
    "numbers for cells": lambda: json.dumps({**OPENED, "pages": {"0": PAGE}}).encode(),
}


def run(job: dict[str, Any], descriptor: int) -> bytes:
    """Answer as the name asks; a name that is JSON is the answer, an unknown one an exception."""
    name: str = job["name"]
    return name.encode() if name.startswith(("{", "[")) else ANSWERS[name]()
