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

import numpy as np
from numpy.typing import NDArray

from deid.folder.needles import Needle, needles

PAIRS = 1 << 16
LETTERS = 128  # ASCII ends here
Positions = NDArray[np.int64]
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

    def find(self, data: bytes, bulk: Spans = ()) -> Iterator[Hit]:
        """Yield hits; inside a span of `bulk` (pixels, samples) only those that cannot be there by chance."""
        position = 0
        for start, end in sorted(bulk):
            yield from self._all.find(data, position, start)
            # A value may begin before a span and end in it: spans are searched with their seams.
            yield from self._bulk.find(data, max(start - self._all.longest, 0), min(end + self._all.longest, len(data)))
            position = end
        yield from self._all.find(data, position, len(data))


class _Table:
    """Needles by the two pairs of bytes of which one is at an even offset, whatever the value's own offset is."""

    def __init__(self, found: Iterable[Needle]) -> None:
        self._by_pair: dict[int, dict[bytes, tuple[Needle, int]]] = defaultdict(dict)
        self.longest = 0
        for needle in found:
            self.longest = max(self.longest, len(needle.data))
            for shift in (0, 1):
                for pair in _pairs(needle.data[shift : shift + 2]):
                    self._by_pair[pair][needle.data + bytes([shift])] = needle, shift
        self._marked = np.zeros(PAIRS, np.bool_)
        self._marked[list(self._by_pair)] = True
        self._least = np.uint16(min(self._by_pair, default=PAIRS - 1))

    def find(self, data: bytes, start: int, end: int) -> Iterator[Hit]:
        """Yield hits that lie in [start, end)."""
        if not self._by_pair or end - start < 2:  # noqa: PLR2004 - a pair
            return
        pairs = np.frombuffer(data, "<u2", (end - start) // 2, start)
        # Most pixels are smaller numbers than any two letters: a comparison is cheaper than a look-up.
        likely = np.flatnonzero(pairs >= self._least)
        for number in likely[self._marked[pairs[likely]]]:
            place = start + 2 * int(number)
            for needle, shift in self._by_pair[int(pairs[number])].values():
                first = place - shift
                if start <= first and first + len(needle.data) <= end and _is_there(needle, data, first):
                    yield Hit(first, needle.encoding)


@lru_cache(maxsize=PAIRS)
def _pairs(two: bytes) -> tuple[int, ...]:
    """Give the numbers that two bytes are, in each case of their letters."""
    cases = ({*two[at : at + 1].upper(), *two[at : at + 1].lower()} for at in (0, 1))
    return tuple(second << 8 | first for first, second in product(*cases))


def _is_there(needle: Needle, data: bytes, start: int) -> bool:
    end = start + len(needle.data)
    if data[start:end].lower() != needle.data:
        return False
    around = data[max(start - 1, 0) : start] + data[end : end + 1]
    return not needle.whole or not any(chr(byte).isalnum() and byte < LETTERS for byte in around)
