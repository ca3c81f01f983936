"""`strip-outputs` (R61): the notebook's code and words alone, without outputs, attachments, counts or metadata."""

from __future__ import annotations

import json
from typing import Any

from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.notebook import MAJOR, damaged
from enclave.airlock.parsers.strict_json import read_json
from enclave.airlock.rules import CheckRules

MINOR = 5
TYPES = frozenset({"code", "markdown", "raw"})


def strip_outputs(content: bytes, name: str, rules: CheckRules) -> tuple[str, bytes]:
    """Return the ending and the bytes of a notebook of code alone. Raises `ParseRefused` for no notebook."""
    del name, rules
    found = read_json(decode(content))
    if not isinstance(found, dict) or found.get("nbformat") != MAJOR or not isinstance(found.get("cells"), list):
        raise damaged()
    try:
        cells = [_stripped(cell, number) for number, cell in enumerate(found["cells"])]
    except (TypeError, KeyError, AttributeError):
        raise damaged() from None
    kept = {"cells": cells, "metadata": {}, "nbformat": MAJOR, "nbformat_minor": MINOR}
    return ".ipynb", json.dumps(kept, ensure_ascii=False, indent=1).encode() + b"\n"


def _stripped(cell: dict[str, Any], number: int) -> dict[str, object]:
    source = cell["source"]
    if cell["cell_type"] not in TYPES or not isinstance(source, str | list):
        raise TypeError("no cell")
    text = source if isinstance(source, str) else "".join(source)
    kept: dict[str, object] = {
        "cell_type": cell["cell_type"],
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return {**kept, "execution_count": None, "outputs": []} if cell["cell_type"] == "code" else kept
