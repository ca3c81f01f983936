"""Peak memory of a table that is worked on part by part within a limit (`deid/many`), at ten million rows.

`ANSIM_BENCH_MANY_ROWS` changes the number of rows (10,000,000, what §9 of the handbook asks for).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.deid_bench import hospital, measure

LIMIT_MB = 700


def figures() -> dict[str, dict[str, Any]]:
    """Measure the largest resident size of a run with `--memory 700MB`; see `run.py` for the form."""
    rows = int(os.environ.get("ANSIM_BENCH_MANY_ROWS", "10000000"))
    with tempfile.TemporaryDirectory(prefix="ansim-deid-many-") as name:
        hospital(Path(name), rows, ("parquet",))
        cost = measure("tests.bench.deid_bench", name, "parquet", LIMIT_MB * 10**6)
    told = f"{rows:,} rows, {cost.wall_s:.1f} s, {cost.cpu_s:.1f} s CPU, {rows / cost.cpu_s:,.0f} rows/s/core"
    return {
        "deid.low_memory_peak": {
            "value": cost.peak_mb, "unit": "MB", "peer": told, "ratio": cost.peak_mb / LIMIT_MB,
            "floor": f"<= {LIMIT_MB} MB", "ok": cost.peak_mb <= LIMIT_MB,
        },
    }  # fmt: skip
