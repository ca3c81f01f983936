"""Which recipe made which bytes: remembered in this kernel and, for the next one, in a small file of the home.

A recipe belongs to the SHA-256 of a file, so that a file that was changed by hand has none. It is a hint: the checker
makes the output again and compares.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

KEPT = 500
_MADE: dict[str, dict[str, Any]] = {}


def remember(sha256: str, recipe: dict[str, Any]) -> None:
    """Remember how the bytes with this hash were made."""
    _MADE[sha256] = recipe
    notes = _notes()
    # Without the file the recipe is known in this kernel all the same.
    with suppress(OSError):
        notes.parent.mkdir(parents=True, exist_ok=True)
        lines = notes.read_text(encoding="utf-8").splitlines()[-KEPT + 1 :] if notes.exists() else []
        lines.append(json.dumps({"sha256": sha256, "recipe": recipe}, ensure_ascii=False))
        fresh = notes.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fresh.replace(notes)


def recall(sha256: str) -> dict[str, Any] | None:
    """Return how the bytes with this hash were made, if ``ansim`` made them here."""
    if sha256 in _MADE:
        return _MADE[sha256]
    with suppress(OSError, ValueError, KeyError, TypeError):
        for line in reversed(_notes().read_text(encoding="utf-8").splitlines()):
            found = json.loads(line)
            if found["sha256"] == sha256:
                return dict(found["recipe"])
    return None


def about(files: dict[str, str], code: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return what is said about files: ``files`` holds hashes by name, ``code`` names of code by name."""
    said: dict[str, dict[str, Any]] = {}
    for name, sha256 in files.items():
        recipe = recall(sha256)
        one = ({} if recipe is None else {"recipe": recipe}) | ({"code": code[name]} if name in code else {})
        if one:
            said[name] = one
    return said


def _notes() -> Path:
    given = os.environ.get("ANSIM_RECIPES")
    work = Path.home() / "work"
    return Path(given) if given else (work if work.is_dir() else Path.home()) / ".ansim" / "recipes.jsonl"
