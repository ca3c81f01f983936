"""Files that are there whole or not at all, and folders whose names survive a loss of power."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Put a file in place in one step: whoever reads it, also after a crash, sees the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)


def sync_folder(folder: Path) -> None:
    """Have the disk know which names a folder holds now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
