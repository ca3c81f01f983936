"""The last look before a file is let out: its bytes against every identifier that was taken from its patient.

Rules can forget a place; this looks at all of them at once, whatever the format. A hit is told by file and offset,
never by its value. Every aligned pair of bytes is looked up in a table of pairs that values have where an aligned
pair meets them, so that the time hardly grows with the number of values. Bulk (pixels, samples) is searched for
values that cannot be there by chance, in the encodings of one byte and more a letter; the rest of a file in all of
them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from mmap import MAP_POPULATE, MAP_PRIVATE, PROT_READ, mmap
from pathlib import Path

import numpy as np

from deid.folder.needles import Needle, needles

PAIRS = 1 << 16
LETTERS = 128  # ASCII ends here
REMEMBERED = 4096  # beginnings of values: most are of few kinds
AT_ONCE = 1 << 17  # pairs that stay in the processor's cache
Bytes = bytes | mmap
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Hit:
    """Where a removed value still is: byte offset (from 0) and the encoding in which it stands there."""

    offset: int
    encoding: str


class Scanner:
    """Searches bytes for one set of values, ignoring the case of ASCII letters."""

    def __init__(self, values: Iterable[str]) -> None:
        found = [needle for value in values for needle in needles(value)]
        self._all = _Table(found)
        self._found = found

    @cached_property
    def _bulk(self) -> _Table:
        return _Table(needle for needle in self._found if needle.anywhere and 0 not in needle.data)

    def find(self, data: Bytes, bulk: Spans = ()) -> Iterator[Hit]:
        """Yield hits; inside a span of `bulk` (pixels, samples) only those that cannot be there by chance."""
        position = 0
        for start, end in sorted(bulk):
            yield from self._all.find(data, position, start)
            # A value may begin before a span and end in it: spans are searched with their seams.
            yield from self._bulk.find(data, max(start - self._all.longest, 0), min(end + self._all.longest, len(data)))
            position = end
        yield from self._all.find(data, position, len(data))

    def find_in(self, path: Path, bulk: Spans = ()) -> list[Hit]:
        """List the hits in a file of ours, which nobody makes shorter meanwhile."""
        if not path.stat().st_size:
            return []
        with path.open("rb") as file, mmap(file.fileno(), 0, MAP_PRIVATE | MAP_POPULATE, PROT_READ) as data:
            return list(self.find(data, bulk))


class _Table:
    """Needles by the two pairs of bytes of which one is at an even offset, whatever the value's own offset is."""

    def __init__(self, found: Iterable[Needle]) -> None:
        self._by_pair: dict[int, list[tuple[Needle, int]]] = defaultdict(list)
        self.longest = 0
        for needle in {each.data: each for each in found}.values():
            self.longest = max(self.longest, len(needle.data))
            for pair, shift in _places(needle.data[:3]):
                self._by_pair[pair].append((needle, shift))
        self._marked = np.zeros(PAIRS, np.bool_)
        self._marked[list(self._by_pair)] = True
        self._least = np.uint16(min(self._by_pair, default=0))
        self._range = np.uint16(max(self._by_pair, default=0) - int(self._least))

    def find(self, data: Bytes, start: int, end: int) -> Iterator[Hit]:
        """Yield hits that lie in [start, end)."""
        if not self._by_pair or end - start < 2:  # noqa: PLR2004 - a pair
            return
        pairs = np.frombuffer(data, "<u2", (end - start) // 2, start)
        for first in range(0, pairs.size, AT_ONCE):
            part = pairs[first : first + AT_ONCE]
            # Most pixels are smaller numbers than any two letters, or larger: comparing is cheaper than looking up.
            likely = np.flatnonzero(part - self._least <= self._range)
            for number in likely[self._marked[part[likely]]] if likely.size else ():
                yield from self._at(data, start + 2 * (first + int(number)), int(part[number]), (start, end))

    def _at(self, data: Bytes, place: int, pair: int, limits: tuple[int, int]) -> Iterator[Hit]:
        for needle, shift in self._by_pair[pair]:
            first = place - shift
            if limits[0] <= first and first + len(needle.data) <= limits[1] and _is_there(needle, data, first):
                yield Hit(first, needle.encoding)


@lru_cache(maxsize=REMEMBERED)
def _places(three: bytes) -> tuple[tuple[int, int], ...]:
    """Give the pairs that a value can be met by, each with how far (bytes) into it the pair begins."""
    return tuple((pair, shift) for shift in (0, 1) for pair in _pairs(three[shift : shift + 2]))


@lru_cache(maxsize=REMEMBERED)
def _pairs(two: bytes) -> tuple[int, ...]:
    """Give the numbers that two bytes are, in each case of their letters."""
    cases = ({*two[at : at + 1].upper(), *two[at : at + 1].lower()} for at in (0, 1))
    return tuple(second << 8 | first for first, second in product(*cases))


def _is_there(needle: Needle, data: Bytes, start: int) -> bool:
    end = start + len(needle.data)
    if data[start:end].lower() != needle.data:
        return False
    around = data[max(start - 1, 0) : start] + data[end : end + 1]
    return not needle.whole or not any(chr(byte).isalnum() and byte < LETTERS for byte in around)
