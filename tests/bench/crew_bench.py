"""A run whose parts go to two workers of a local Dask cluster, against the same run part by part in one process.

All share one machine: one process takes its cores already (Polars has a thread for each), so workers can only cost,
and the figure says how much. More than 1 is to be had on further machines only. Starting the cluster is not counted.
`ANSIM_BENCH_CREW_ROWS` changes the number of rows (1,000,000).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from distributed import LocalCluster

from deid import engine, keys, recipe
from deid.crew.address import Cluster
from deid.many.options import Means
from deid.versions.options import key_store
from tests.bench.deid_bench import hospital

RUNS, WORKERS, LIMIT = 2, 2, 700 * 10**6
# What is lost to orders, sealing and files, at most, where there is nothing to gain.
FLOOR = 0.4


def figures() -> dict[str, dict[str, Any]]:
    """Measure both in turn; see `run.py` for the form."""
    rows = int(os.environ.get("ANSIM_BENCH_CREW_ROWS", "1000000"))
    with tempfile.TemporaryDirectory(prefix="ansim-deid-crew-") as name:
        folder = Path(name)
        hospital(folder, rows)
        worker_keys = folder / "worker-keys"
        worker_keys.mkdir(mode=0o700)
        shutil.copy2(folder / "keys/master.key", worker_keys)
        with LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0,
            local_directory=str(folder / "spill"), preload=["deid.crew.worker"],
            preload_argv=["--keys", str(worker_keys)],
        ) as cluster:  # fmt: skip
            ways = {"here": Means(LIMIT), "crew": Means(LIMIT, Cluster(cluster.scheduler_address))}
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(RUNS):
                for way, means in ways.items():
                    taken[way].append(_seconds(folder, means))
    here, crew = (min(taken[way]) for way in ways)
    return {
        "deid.crew_speed": {
            "value": rows / crew, "unit": "rows/s",
            "peer": f"one process {here:.1f} s, {WORKERS} workers {crew:.1f} s, {os.cpu_count()} cores in all",
            "ratio": here / crew, "floor": f">= {FLOOR:g}x on one machine", "ok": here / crew >= FLOOR,
        },
    }  # fmt: skip


def _seconds(folder: Path, means: Means) -> float:
    both = keys.load(folder / "keys", folder / "keys/sign.pem")
    both = replace(both, store=key_store(folder / "keys"))
    start = time.monotonic()
    engine.run(recipe.load(folder / "claims.yaml"), folder, folder / "out", both, now=datetime.now(UTC), means=means)
    return time.monotonic() - start
