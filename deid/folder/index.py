"""`index.parquet` beside the files: one row for each, so that a cohort is found by a query and not by opening files.

Everything in it stands in the written files. Rows of files that an earlier run wrote stay, as long as the files do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deid.folder.run import Tally

NAME = "index.parquet"
TEXTS = ("study_uid", "series_uid", "instance_uid", "sop_class", "modality", "body_part", "laterality", "view")
MORE_TEXTS = ("study_date", "sex", "age", "manufacturer")
NUMBERS = ("rows", "columns", "frames")
SCHEMA = pa.schema(
    [("file", pa.string()), ("format", pa.string()), ("patient", pa.string()), ("bytes", pa.int64())]
    + [(name, pa.string()) for name in (*TEXTS, *MORE_TEXTS)]
    + [(name, pa.int64()) for name in NUMBERS]
)


def write(out: Path, tally: Tally) -> None:
    """Write the index of an output folder anew; none for a folder without files."""
    path = out / NAME
    rows = {row["file"]: row for row in _before(path, out)} | {row["file"]: row for row in rows_of(out, tally)}
    if not rows:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_name(f".{NAME}.new")
    pq.write_table(pa.Table.from_pylist([rows[name] for name in sorted(rows)], SCHEMA), fresh)
    fresh.replace(path)


def _before(path: Path, out: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from (row for row in pq.read_table(path, schema=SCHEMA).to_pylist() if (out / row["file"]).is_file())


def rows_of(out: Path, tally: Tally) -> Iterator[dict[str, Any]]:
    """Yield a row for each file that a run wrote, or found written: what stands in the file itself."""
    for written in (*tally.written, *tally.twice):
        for name in written.files:
            about = {key: value for key, value in written.outcome.about.items() if key in SCHEMA.names}
            size = (out / name).stat().st_size
            yield {"file": name, "format": written.format, "patient": written.outcome.patient, "bytes": size, **about}
