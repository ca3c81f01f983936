"""Where the tree lies in files (C2SP tlog-tiles v0.1.0): tiles of 256 hashes, bundles of 256 entries. Pure.

`tile/<level>/<n>` holds the hashes of 256 complete subtrees of 256^level entries each, `tile/entries/<n>` the
entries under tile n of level 0, each with two bytes of length. The last of each level may be partial:
`tile/0/x001/234.p/5` is tile 1234 with 5 hashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from audit.merkle import HASH_BYTES, NodeReader, leaf_hash, root_of

# The hashes of tile `number` at `level`.
HashesOf = Callable[[int, int], Sequence[bytes]]
WIDTH = 256
ENTRIES = -1
CHECKPOINT = "checkpoint"
_PATH = re.compile(r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Tile(NamedTuple):
    """One file of the log: level (`ENTRIES` for a bundle), number in its level, width (256 when full)."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """The path below the log folder."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_number_path(self.number)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile | None:
        """Read a path back; None unless it is the one path of a tile."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        number = int(match[2].replace("x", "").replace("/", ""))
        tile = cls(ENTRIES if match[1] == "entries" else int(match[1]), number, int(match[3] or WIDTH))
        return tile if tile.path == path else None


def _number_path(number: int) -> str:
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def tile_of(level: int, number: int, size: int) -> Tile:
    """Return tile `number` of a level as a tree of `size` entries has it; its width is 0 beyond the tree's end."""
    return Tile(level, number, max(0, min(WIDTH, level_length(level, size) - number * WIDTH)))


def level_length(level: int, size: int) -> int:
    """Return how many hashes (or entries) a level has in a tree of `size` entries."""
    return size >> 8 * max(level, 0)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile and bundle of a tree of `size` entries, bundles first."""
    level = ENTRIES
    while length := level_length(level, size):
        for number in range((length + WIDTH - 1) // WIDTH):
            yield Tile(level, number, min(WIDTH, length - number * WIDTH))
        level += 1


def pack(entries: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each entry (at most 65,535 bytes) behind its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack(bundle: bytes) -> list[bytes]:
    """Return a bundle's entries; a last one that is cut off is left out, so `pack` would give other bytes."""
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + (bundle[start - 2] << 8 | bundle[start - 1]) if start <= end else end + 1
        if at <= end:
            entries.append(bundle[start:at])
    return entries


def split(tile: bytes) -> list[bytes]:
    """Return a tile's hashes; bytes beyond the last whole hash make a short last item."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


@dataclass
class Edge:
    """The growing right edge of the tree: its size and, per level, the hashes of the last, not yet full tile."""

    size: int = 0
    rows: list[list[bytes]] = field(default_factory=list)

    def extend(self, entries: Sequence[bytes]) -> dict[Tile, bytes]:
        """Append entries; return the content of every hash tile that is new or wider, at any level."""
        changed: dict[Tile, bytes] = {}
        hashes, level = [leaf_hash(entry) for entry in entries], 0
        while hashes:
            if level == len(self.rows):
                self.rows.append([])
            number = level_length(level, self.size) // WIDTH
            row, above = self.rows[level] + hashes, []
            while len(row) >= WIDTH:
                changed[Tile(level, number, WIDTH)] = b"".join(row[:WIDTH])
                above.append(root_of(row[:WIDTH]))
                row, number = row[WIDTH:], number + 1
            if row:
                changed[Tile(level, number, len(row))] = b"".join(row)
            self.rows[level] = row
            hashes, level = above, level + 1
        self.size += len(entries)
        return changed

    def root(self) -> bytes:
        """Return the root of the whole tree: each level's open row, closed by the root of what is below it."""
        below: list[bytes] = []
        for row in self.rows:
            if row or below:
                below = [root_of(row + below)]
        return root_of(below)


def node_reader(hashes_of: HashesOf) -> NodeReader:
    """Return a reader of complete subtrees over tiles, given how to get the hashes of a (level, number) tile."""

    def node(level: int, index: int) -> bytes:
        tile_level, inside = divmod(level, 8)
        first = index << inside
        row = hashes_of(tile_level, first // WIDTH)
        start = first % WIDTH
        return root_of(row[start : start + (1 << inside)])

    return node
