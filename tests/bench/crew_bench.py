"""A run whose parts go to two workers of a local Dask cluster, against the same run part by part in one process.

All share one machine: one process takes its cores already (Polars has a thread for each), so there is little to gain
but on further machines, and CPU seconds say what giving out the parts costs. Starting the cluster is not counted.
`ANSIM_BENCH_CREW_ROWS` changes the number of rows (1,000,000).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

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
        hospital(folder, rows, ("parquet",))
        worker_keys = folder / "worker-keys"
        worker_keys.mkdir(mode=0o700)
        shutil.copy2(folder / "keys/master.key", worker_keys)
        with LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0,
            local_directory=str(folder / "spill"), preload=["deid.crew.worker"],
            preload_argv=["--keys", str(worker_keys)],
        ) as cluster:  # fmt: skip
            ways = {"here": Means(LIMIT), "crew": Means(LIMIT, Cluster(cluster.scheduler_address))}
            taken: dict[str, list[Spent]] = {way: [] for way in ways}
            for _ in range(RUNS):
                for way, means in ways.items():
                    taken[way].append(_spent(folder, means, cluster))
    here, crew = (Spent(min(each.wall for each in runs), min(each.cpu for each in runs)) for runs in taken.values())
    return {
        "deid.crew_speed": {
            "value": rows / crew.wall, "unit": "rows/s",
            "peer": f"one process {here.wall:.1f} s, {here.cpu:.1f} s CPU; {WORKERS} workers and the run "
            f"{crew.wall:.1f} s, {crew.cpu:.1f} s CPU; {os.cpu_count()} cores in all",
            "ratio": here.wall / crew.wall, "floor": f">= {FLOOR:g}x on one machine",
            "ok": here.wall / crew.wall >= FLOOR,
        },
    }  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """Seconds of a run: on the clock, and of CPU with its workers."""

    wall: float
    cpu: float


def _spent(folder: Path, means: Means, cluster: LocalCluster) -> Spent:
    both = keys.load(folder / "keys", folder / "keys/sign.pem")
    both = replace(both, store=key_store(folder / "keys"))
    rules, out = recipe.load(folder / "parquet.yaml"), folder / "out"
    wall, cpu = time.monotonic(), _cpu(cluster)
    engine.run(rules, folder, out, both, now=datetime.now(UTC), means=means)
    return Spent(time.monotonic() - wall, _cpu(cluster) - cpu)


def _cpu(cluster: LocalCluster) -> float:
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        return time.process_time() + float(sum(client.run(time.process_time).values()))
