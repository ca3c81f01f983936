"""Writing the published columns of one table to Parquet: streamed, zstd, ordered by pseudonym.

Ordering removes the hospital's order and nearly halves the size. A table of more than `PART_ROWS` rows is first spread,
streaming, over unnamed parts by ranges of patients, and each part is then ordered by itself: memory stays bounded.
Strings are written as strings: Parquet dictionaries are built by the writer from the rows that are left.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from deid.prepare import Prepared, explain
from deid.recipe import TableRule
from deid.suppress import Decision
from deid.transform.columns import INDEX, class_key, published

PART_ROWS = 2_000_000
ROW_GROUP = 131_072
PART = " part"


def publishable(table: Prepared, decision: Decision) -> pl.LazyFrame:
    """All published columns of the rows that stay, and `INDEX`."""
    people = table.people.filter(~pl.Series(decision.excluded))
    return table.frame(people).select(INDEX, *(published(rule, table.rule) for rule in table.rule.published))


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
        _run(table, lambda: _sink(_ordered(frame), file))
        return [file]
    spread = folder / ".parts"
    part = pl.col(INDEX).cast(pl.Int64) * parts // table.people.height
    target = pl.PartitionBy(
        spread, key=part.alias(PART), include_key=False, approximate_bytes_per_file=(1 << 62),
        file_path_provider=lambda args: f"{args.partition_keys.item()}.parquet",
    )  # fmt: skip
    try:
        _run(table, lambda: frame.sink_parquet(target, compression="lz4", mkdir=True, engine="streaming"))
        files = []
        for number in range(parts):
            if (spread / f"{number}.parquet").exists():
                files.append(folder / f"part-{number:03d}.parquet")
                _sink(_ordered(pl.scan_parquet(spread / f"{number}.parquet")), files[-1])
                (spread / f"{number}.parquet").unlink()
        return files
    finally:
        shutil.rmtree(spread, ignore_errors=True)


def _ordered(frame: pl.LazyFrame) -> pl.LazyFrame:
    # By all columns: the same rows give the same bytes, whatever order the threads delivered them in.
    names = frame.collect_schema().names()
    return frame.sort(names).drop(INDEX)


def _sink(frame: pl.LazyFrame, file: Path) -> None:
    frame.sink_parquet(file, compression="zstd", compression_level=3, row_group_size=ROW_GROUP, engine="streaming")


def _run(table: Prepared, sink: Callable[[], object]) -> None:
    try:
        sink()
    except pl.exceptions.PolarsError as error:
        raise explain(table.source, error) from None
