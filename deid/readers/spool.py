"""An unnamed Parquet file of text, for formats that can be read only once: workbooks, databases, NDJSON.

Only columns that the recipe uses are written, a batch at a time. The file has no name and is gone with the process.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from deid.held import Held
from deid.readers.parquet_file import slices
from deid.readers.refuse import refuse
from deid.readers.regular import by_descriptor
from deid.recipe import Limits, TableRule

LINE = " line"
BATCH_ROWS, BATCH_LETTERS = 1 << 15, 1 << 23
KEPT_LETTERS = 256 << 20


@dataclass(frozen=True)
class SpooledContent:
    """The finished copy; `unchanged` asks the original."""

    rule: TableRule
    file: IO[bytes]
    unchanged: Callable[[], None]

    def scan(self) -> pl.LazyFrame:
        """See `Content.scan`."""
        nulls = ["", *self.rule.nulls]
        columns = (pl.when(~pl.col(name).is_in(nulls)).then(pl.col(name)).alias(name) for name in self.rule.used)
        return pl.scan_parquet(by_descriptor(self.file), glob=False).select(*columns)

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:
        """See `Content.stretches`."""
        return slices(self.scan(), rows)

    def line_of(self, record: int) -> int:
        """See `Content.line_of`."""
        line = pl.scan_parquet(by_descriptor(self.file), glob=False).select(LINE).slice(record, 1).collect()
        return int(line.item())

    def check_unchanged(self) -> None:
        """See `Content.check_unchanged`."""
        self.unchanged()


class Spool:
    """Add rows in the order of `rule.used`, then `finish`; a context that closes the file."""

    def __init__(self, rule: TableRule, place: str, limits: Limits, folder: Path) -> None:
        self.rule = rule
        self.place = place
        self.limits = limits
        self.rows = 0
        self.letters = 0
        self._digest = hashlib.sha256()
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._schema = pa.schema([(LINE, pa.int64()), *((name, pa.large_string()) for name in rule.used)])
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd", compression_level=1)
        self._lines: list[int] = []
        self._batch: list[Sequence[str | None]] = []
        self._pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file, suppress(OSError):  # a full disk was told already
            self._writer.close()

    def add(self, line: int, values: Sequence[str | None]) -> None:
        """Add one row that a person finds at `line`. Raises `SourceError` beyond the recipe's limits."""
        letters = sum(len(value) for value in values if value is not None)
        if letters > self.limits.line_bytes:
            both = (
                f"한 행이 제한보다 깁니다({self.limits.line_bytes:,}자).",
                f"a row is longer than the limit ({self.limits.line_bytes:,} letters).",
            )
            fix = ("limits.line_bytes를 올리거나 원본을 확인하세요.", "Raise limits.line_bytes or check the origin.")
            refuse(self.place, "broken-line", both, fix, at=(line, -1))
        self._lines.append(line)
        self._batch.append(values)
        self._pending += letters
        if len(self._batch) >= BATCH_ROWS or self._pending >= BATCH_LETTERS:
            self._flush()

    def finish(self, unchanged: Callable[[], None]) -> SpooledContent:
        """Write what is left and give the content."""
        self._flush()
        self._writer.close()
        self._file.flush()
        return SpooledContent(self.rule, self._file, unchanged)

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the rows added, for originals that are no file."""
        return self._digest.hexdigest()

    def _flush(self) -> None:
        if not self._batch:
            return
        columns = [pa.array(values, pa.large_string()) for values in zip(*self._batch, strict=True)]
        self._writer.write_table(pa.Table.from_arrays([pa.array(self._lines), *columns], schema=self._schema))
        self._digest.update(json.dumps(self._batch, ensure_ascii=False).encode())
        self.rows += len(self._batch)
        self.letters += self._pending
        self._lines, self._batch, self._pending = [], [], 0


def kept(content: SpooledContent, spool: Spool, *, in_memory: bool) -> Held | None:
    """Parse a small table once; None for one that is streamed at every pass."""
    small = in_memory and spool.letters <= KEPT_LETTERS
    return Held.of(content.scan().collect(engine="streaming")) if small else None
