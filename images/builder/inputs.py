"""One number for everything that decides the image's bytes, so that an unchanged image is not built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from images.builder.places import REPO, Places


def digest(places: Places) -> str:
    """Return the SHA-256 (hex) over the recipe, the lock, the notebook client and the builder itself.

    Debian's packages are not in it: they are the machine's to update (`debs.digest`), and kept beside it.
    """
    total = hashlib.sha256()
    for path in _files(places):
        inner = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{inner} {path.relative_to(REPO) if path.is_relative_to(REPO) else path.name}\n".encode())
    return total.hexdigest()


def _files(places: Places) -> Iterator[Path]:
    yield places.lock
    yield REPO / "locks/tools.txt"
    for name in ("rootfs.py", "archive.py"):
        yield Path(__file__).parent / name
    for folder in (places.recipe, places.client):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and folder / "jupyter" not in path.parents:
                yield path
