"""The last look before a file is let out: its bytes against every identifier that was taken from its patient.

Rules can forget a place; this looks at all of them at once, whatever the format. A hit is told by file and offset,
never by its value. Every pair of bytes is looked up in a table of how values begin (two gathers a file), so that the
time hardly grows with the number of values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deid.folder.needles import Needle, needles

ANCHOR = 4  # bytes by which a value is first recognised; every needle has as many
PAIRS = 1 << 16
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
        self._by_anchor: dict[int, dict[bytes, Needle]] = defaultdict(dict)
        self._begins = np.zeros(PAIRS, np.bool_)
        for value in values:
            for needle in needles(value):
                anchor = int.from_bytes(needle.data[:ANCHOR], "little")
                self._by_anchor[anchor][needle.data] = needle
                self._begins[anchor % PAIRS] = True
        self._anchors = np.array(sorted(self._by_anchor), np.uint32)

    def find(self, data: bytes, bulk: Spans = ()) -> Iterator[Hit]:
        """Yield hits; inside a span of `bulk` (pixels, samples) only those that cannot be there by chance."""
        lowered = data.lower()
        for offset in self._candidates(lowered):
            start = int(offset)
            anchor = int.from_bytes(lowered[start : start + ANCHOR], "little")
            for needle in self._by_anchor.get(anchor, {}).values():
                if lowered.startswith(needle.data, start) and _is_believed(needle, lowered, start, bulk):
                    yield Hit(start, needle.encoding)

    def _candidates(self, data: bytes) -> Positions:
        if len(data) < ANCHOR or not self._anchors.size:
            return np.empty(0, np.int64)
        single = np.frombuffer(data, np.uint8)
        found = []
        for shift in (0, 1):
            pairs = np.frombuffer(data, "<u2", (len(data) - shift) // 2, shift)
            found.append(np.flatnonzero(self._begins.take(pairs)) * 2 + shift)
        places = np.concatenate(found)
        places = places[places <= len(data) - ANCHOR]
        if not places.size:
            return places
        quads = sum(single[places + step].astype(np.uint32) << np.uint32(8 * step) for step in range(ANCHOR))
        return np.sort(places[np.isin(np.asarray(quads, np.uint32), self._anchors)])


def _is_believed(needle: Needle, data: bytes, start: int, bulk: Spans) -> bool:
    if not needle.anywhere and any(low <= start < high for low, high in bulk):
        return False
    end = start + len(needle.data)
    around = data[max(start - 1, 0) : start] + data[end : end + 1]
    return not needle.whole or not any(chr(byte).isalnum() and byte < 128 for byte in around)  # noqa: PLR2004 - ASCII
