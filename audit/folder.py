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
