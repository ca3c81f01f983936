"""A table's rows a few at a time, each taken before the next is read.

Polars' streaming readers run ahead of whoever takes their rows: at ten million rows of Parquet that alone held over a
gigabyte, of CSV half a one. So every format is read stretch by stretch, which costs no more.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from deid.readers.source import Source


def pour(source: Source, rows: int, take: Callable[[pl.DataFrame], None]) -> None:
    """Call `take` with all rows as text, about `rows` at a time. Raises what it raises."""
    for stretch in source.content.stretches(rows):
        take(stretch.collect(engine="in-memory"))
