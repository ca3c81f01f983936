"""A table's rows a few at a time, each taken before the next is read.

Polars' streaming readers run ahead of whoever takes their rows: at ten million rows that alone held over a gigabyte.
Parquet is therefore read stretch by stretch, which costs no more; what can only be read from its beginning is pushed.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from deid.readers.parquet_file import ParquetContent
from deid.readers.source import Source
from deid.readers.spool import SpooledContent


def pour(source: Source, rows: int, take: Callable[[pl.DataFrame], None]) -> None:
    """Call `take` with all rows as text, about `rows` at a time, in no order that matters. Raises what it raises."""
    frame = source.scan()
    if isinstance(source.content, ParquetContent | SpooledContent):
        for begun in range(0, source.rows, rows):
            take(frame.slice(begun, rows).collect(engine="in-memory"))
    else:
        frame.sink_batches(take, chunk_size=rows, maintain_order=False, engine="streaming")
