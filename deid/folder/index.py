"""`index.parquet` beside the files: one row for each, so that a cohort is found by a query and not by opening files.

Everything in it stands in the written files. Rows of files that an earlier run wrote stay, as long as the files do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from deid.folder.columns import COLUMNS
from deid.folder.tally import Tally

NAME = "index.parquet"
# Polars: Arrow asks pandas, a second to load, whether a list is one of its own.
SCHEMA = pl.Schema({name: pl.Int64 if dtype == "Int64" else pl.String for name, (dtype, *_) in COLUMNS.items()})


def write(out: Path, tally: Tally) -> None:
    """Write the index of an output folder anew; none for a folder without files."""
    path = out / NAME
    rows = {row["file"]: row for row in _before(path, out)} | {row["file"]: row for row in rows_of(out, tally)}
    if not rows:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_name(f".{NAME}.new")
    pl.DataFrame([rows[name] for name in sorted(rows)], SCHEMA, orient="row").write_parquet(fresh)
    fresh.replace(path)


def _before(path: Path, out: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        found = pl.read_parquet(path, columns=list(SCHEMA), memory_map=False)
        yield from (row for row in found.iter_rows(named=True) if (out / row["file"]).is_file())


def rows_of(out: Path, tally: Tally) -> Iterator[dict[str, Any]]:
    """Yield a row for each file that a run wrote, or found written: what stands in the file itself."""
    for written in (*tally.written, *tally.twice):
        for name in written.files:
            about = {key: value for key, value in written.outcome.about.items() if key in SCHEMA}
            size = (out / name).stat().st_size
            yield {"file": name, "format": written.format, "patient": written.outcome.patient, "bytes": size, **about}
