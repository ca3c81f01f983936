"""Writing the published columns of one table to Parquet: streamed, zstd, ordered by pseudonym.

Ordering removes the hospital's order and nearly halves the size. A table of more than `PART_ROWS` rows is first spread,
streaming, over unnamed parts by ranges of patients, and each part is then ordered by itself: memory stays bounded.
Strings are written as strings: Parquet dictionaries are built by the writer from the rows that are left.
"""

from __future__ import annotations

import operator
import shutil
from functools import reduce
from pathlib import Path

import polars as pl

from deid.prepare import Prepared, collect, explain
from deid.recipe import TableRule
from deid.suppress import Decision
from deid.transform.columns import INDEX, class_key

PART_ROWS = 1_250_000
ROW_GROUP = 131_072
PART, ROW = " part", " row"


def publishable(table: Prepared, decision: Decision) -> pl.LazyFrame:
    """All published columns of the rows that stay, and `INDEX`."""
    frame = table.published().select(INDEX, *(rule.name for rule in table.rule.published))
    if not decision.excluded.any():
        return frame
    left = table.people.filter(~pl.Series(decision.excluded)).select(INDEX)
    return frame.join(left.lazy(), on=INDEX, how="semi")


def without_small_classes(frame: pl.LazyFrame, rule: TableRule, allowed: pl.DataFrame | None) -> pl.LazyFrame:
    """Leave out rows whose class is not in `allowed` (a frame of class keys; None when every class stays)."""
    if allowed is None:
        return frame
    keys = [class_key(entry).alias(f" {entry.key}") for entry in rule.quasi_identifiers]
    names = [f" {entry.key}" for entry in rule.quasi_identifiers]
    right = allowed.rename({entry.key: f" {entry.key}" for entry in rule.quasi_identifiers})
    return frame.with_columns(keys).join(right.lazy(), on=names, how="semi", nulls_equal=True).drop(names)


def write_table(
    table: Prepared, frame: pl.LazyFrame, folder: Path, *, rows: int, part_rows: int = PART_ROWS
) -> list[Path]:
    """Write `frame` (with `INDEX`) to `folder/part-NNN.parquet`; `rows` is how many are expected. Returns the files."""
    folder.mkdir(parents=True)
    parts = max(1, -(-rows // part_rows))
    if parts == 1:
        file = folder / "part-000.parquet"
        _write_part(collect(table.source, frame), table.people.height, file)
        return [file]
    spread = folder / ".parts"
    part = pl.col(INDEX).cast(pl.Int64) * parts // table.people.height
    target = pl.PartitionBy(
        spread, key=part.alias(PART), include_key=False, approximate_bytes_per_file=(1 << 62),
        file_path_provider=lambda args: f"{args.partition_keys.item()}.parquet",
    )  # fmt: skip
    try:
        try:
            frame.sink_parquet(target, compression="lz4", mkdir=True, engine="streaming")
        except pl.exceptions.PolarsError as error:
            raise explain(table.source, error) from None
        files = []
        for number in range(parts):
            if (spread / f"{number}.parquet").exists():
                files.append(folder / f"part-{number:03d}.parquet")
                _write_part(
                    pl.read_parquet(spread / f"{number}.parquet", memory_map=False), table.people.height, files[-1]
                )
                (spread / f"{number}.parquet").unlink()
        return files
    finally:
        shutil.rmtree(spread, ignore_errors=True)


def _write_part(frame: pl.DataFrame, people: int, file: Path) -> None:
    """Order rows by patient, then by a hash of the row, and write them.

    The same rows give the same bytes, whatever order the threads or the hospital delivered them in. Patient and hash
    share one 64-bit number, which sorts three times as fast as the columns themselves.
    """
    names = [name for name in frame.columns if name != INDEX]
    hashed = reduce(operator.xor, (pl.col(name).hash(seed) for seed, name in enumerate(names)))
    room = 1 << (64 - max(1, people).bit_length())
    key = pl.col(INDEX).cast(pl.UInt64) * room + hashed % room
    ordered = frame.with_columns(key.alias(ROW)).sort(ROW).select(names)
    ordered.write_parquet(file, compression="zstd", compression_level=3, row_group_size=ROW_GROUP)
