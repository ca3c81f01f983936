"""How much memory a run may take, and what follows from it: what is kept whole, how large a part is.

The figures are shares of the limit: of every row of text that is held, the passes need up to nine times its size (what
goes by numbers weighs less, `readers/parquet_weight.py`), and the interpreter with its libraries takes up to 300 MB.
Beside these stand about a hundred bytes for each patient, and twelve for each (patient, class).
`tests/bench/deid_many_bench.py` measures whether a run stays within its limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MIB = 1 << 20
UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}
SIZE = re.compile(r"([1-9][0-9]{0,5}) ?(MB|GB|MiB|GiB)")
LEAST = 500 * 10**6
LEAST_PART, MOST_PART = 4 * MIB, 64 * MIB
MOST_FLUSH = 256 * MIB
MOST_WHOLE = 256 * MIB
SHARE_WHOLE, SHARE_PART, SHARE_FLUSH = 9, 32, 8
LIBRARIES = 300 * 10**6


@dataclass(frozen=True)
class Memory:
    """Bytes of text: of all tables that are kept whole, of one part, and of what is laid out at a time."""

    whole: int
    part: int
    flush: int


def memory_within(limit: int | None) -> Memory:
    """Share out a limit in bytes; None is the default of this engine, about 2 GB."""
    if limit is None:
        return Memory(MOST_WHOLE, MOST_PART, MOST_FLUSH)
    part = max(LEAST_PART, min(MOST_PART, limit // SHARE_PART))
    return Memory(min(MOST_WHOLE, (limit - LIBRARIES) // SHARE_WHOLE), part, min(MOST_FLUSH, limit // SHARE_FLUSH))


def parse_size(text: str) -> int | None:
    """Return bytes for `700MB`, `4 GB`, `2GiB`; None for what is no size, or less than the interpreter needs."""
    found = SIZE.fullmatch(text)
    size = int(found[1]) * UNITS[found[2]] if found else 0
    return size if size >= LEAST else None
