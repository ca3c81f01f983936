"""A file out of an installed wheel, found and not imported: of some packages only their data is wanted."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def wheel_file(wheel: str, name: str) -> Path:
    """Find a file by its path below a wheel's package. Raises `FileNotFoundError` where it is not installed."""
    found = importlib.util.find_spec(wheel)
    for folder in (found.submodule_search_locations if found else None) or ():
        if (path := Path(folder) / name).is_file():
            return path
    raise FileNotFoundError(f"{wheel}/{name} is not there: install what locks/ lists")


def has_files(wheel: str, *names: str) -> bool:
    """Whether all these files of a wheel are installed."""
    try:
        return all(wheel_file(wheel, name) for name in names)
    except FileNotFoundError:
        return False
