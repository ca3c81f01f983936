"""Reading tiles and entry bundles from the log folder. Standard library only."""

from __future__ import annotations

from pathlib import Path

from audit.tiles import ENTRIES, WIDTH, Tile, pack, split, unpack


def read_tile(folder: Path, tile: Tile) -> bytes:
    """Return a tile's bytes, from the full tile when its partial is gone; raise FileNotFoundError."""
    try:
        return (folder / tile.path).read_bytes()
    except FileNotFoundError:
        full = (folder / tile._replace(width=WIDTH).path).read_bytes()
        return _narrow(full, tile)


def _narrow(full: bytes, tile: Tile) -> bytes:
    if tile.level == ENTRIES:
        return pack(unpack(full)[: tile.width])
    return b"".join(split(full)[: tile.width])


def first_kept(folder: Path, size: int) -> int:
    """Return the number of the first entry bundle that was not purged, in a log of `size` entries.

    Bundles go from the first on, so those that are left are a suffix; the last one always stays.
    """
    low, high = 0, max(0, (size - 1) // WIDTH)
    while low < high:
        middle = (low + high) // 2
        if (folder / Tile(ENTRIES, middle, WIDTH).path).exists():
            high = middle
        else:
            low = middle + 1
    return low
