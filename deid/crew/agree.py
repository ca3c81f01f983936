"""What has to be the same on every machine, or the same recipe would not give the same bits: versions and this code."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("ansim-enclave", "polars", "polars-hash", "numpy")
ROOM = Path(__file__).parent.parent


@cache
def here() -> dict[str, str]:
    """Say what this machine runs: Python, the packages a part is worked on with, and a hash of this room's code."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in PACKAGES},
        "code": code_hash(ROOM),
    }


def code_hash(folder: Path) -> str:
    """Hash names and bytes of all Python files below a folder: 16 hex digits."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def differences(asked: dict[str, str]) -> list[str]:
    """Name what is not the same here, in order."""
    own = here()
    return sorted(name for name in asked.keys() | own.keys() if asked.get(name) != own.get(name))
