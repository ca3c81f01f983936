"""Snapshot build against the straightforward pandas script, and that script in Polars and DuckDB, on a claims table.

Each runs in a fresh process, in turn; input checks, encryption, buckets, lineage, risk report, twin and signature are
included on our side only, imports on nobody's. All read the same CSV file of twelve columns. The results must be the
same: rows, total amount, distinct patients, resident numbers and bands, first and last day, and a sum over all rows.
`ANSIM_BENCH_ROWS` changes the number of rows (1,000,000; above two million each runs once).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deid import engine, keys, recipe
from deid.many.options import Means
from deid.snapshot import read_manifest
from deid.versions.options import key_store
from deid.versions.tables import open_table
from tests.bench.spent import told

ROWS_PER_PATIENT = 25.5
SPEED_FLOOR = 8.0
# A second of one core, at a million rows and at ten million (CSV and all that is named above included).
ROWS_PER_CPU_S, ROWS_PER_CPU_S_MANY = 450_000, 350_000
MANY = 2_000_000
MEMORY_FLOOR_MB = 2048
RUNS = 3
PEERS = ("naive", "polars", "duckdb")
HERE = Path(__file__).parent

RECIPE = """\
recipe: 1
dataset: claims
version: 1
title: {ko: 청구, en: Claims}
provider: bench
legal_basis: 측정
gates: {k: 5, max_suppressed_share: 1.0}
tables:
  claims:
    file: claims.csv
    label: {ko: 청구, en: Claims}
    subject: patient_id
    quasi_identifiers: [age_band, sex, zip3, {column: visit_date, by: year}]
    columns:
      patient_id: {treatment: pseudonym, domain: patient}
      rrn: {treatment: pseudonym, domain: rrn}
      name: {treatment: drop}
      birth_date: {treatment: generalise, age_at: visit_date, band: {width: 5, top: 85}, as: age_band}
      sex: {treatment: keep}
      zip: {treatment: generalise, prefix: 3, as: zip3}
      visit_date: {treatment: date_shift, max_days: 365}
      kcd: {treatment: keep}
      drug: {treatment: keep}
      amount: {treatment: keep, type: integer}
      hospital: {treatment: keep}
      memo: {treatment: keep}
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds of its work and of CPU (imports aside), largest resident size in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def figures() -> dict[str, dict[str, Any]]:
    """Measure speed and memory; see `run.py` for the form."""
    rows = int(os.environ.get("ANSIM_BENCH_ROWS", "1000000"))
    with tempfile.TemporaryDirectory(prefix="ansim-deid-bench-") as name:
        folder = Path(name)
        both = hospital(folder, rows)
        labels = (("pseudonym", "patient"), ("pseudonym", "rrn"), ("date-shift", "patient"))
        derived = [both.derive(purpose, "claims", domain).hex() for purpose, domain in labels]
        costs: dict[str, list[Cost]] = {"ours": [], **{name: [] for name in PEERS}}
        for _ in range(RUNS if rows <= MANY else 1):
            costs["ours"].append(measure("tests.bench.deid_bench", folder))
            for peer in PEERS:
                target = folder / f"{peer}.parquet"
                costs[peer].append(measure(f"tests.bench.deid_{peer}", folder / "claims.csv", target, *derived))
        for peer in PEERS:
            same_result(peer, folder / f"{peer}.parquet", published(folder))
    return told_of(costs, rows)


def hospital(folder: Path, rows: int) -> keys.Keys:
    """Lay out what a run needs: the table, the recipe and keys."""
    write_claims(folder / "claims.csv", rows)
    master, signing = keys.create_master(folder / "keys"), folder / "keys/sign.pem"
    keys.create_signing(signing)
    (folder / "claims.yaml").write_text(RECIPE, encoding="utf-8")
    return keys.load(master.parent, signing)


def told_of(costs: dict[str, list[Cost]], rows: int) -> dict[str, dict[str, Any]]:
    """Put the figures into the form of `run.py`."""
    # The quickest run of each side: other work on the machine only ever adds time.
    wall = {name: min(cost.wall_s for cost in runs) for name, runs in costs.items()}
    cpu = {name: min(cost.cpu_s for cost in runs) for name, runs in costs.items()}
    peak = {name: max(cost.peak_mb for cost in runs) for name, runs in costs.items()}
    against = "; ".join(f"{name} {wall[name]:.2f} s, {cpu[name]:.2f} s CPU, {peak[name]:.0f} MB" for name in costs)
    speed, core = wall["naive"] / wall["ours"], rows / cpu["ours"]
    core_floor = ROWS_PER_CPU_S if rows <= MANY else ROWS_PER_CPU_S_MANY
    return {
        "deid.table_rows_per_s": {
            "value": rows / wall["ours"], "unit": "rows/s", "peer": against,
            "ratio": speed, "floor": f">= {SPEED_FLOOR:g}", "ok": speed >= SPEED_FLOOR,
        },
        "deid.table_rows_per_cpu_s": {
            "value": core, "unit": "rows/s/core", "peer": f"pandas script: {rows / cpu['naive']:,.0f} rows/s/core",
            "ratio": cpu["naive"] / cpu["ours"], "floor": f">= {core_floor:,}", "ok": core >= core_floor,
        },
        "deid.peak_memory": {
            "value": peak["ours"], "unit": "MB", "peer": f"pandas script: {peak['naive']:.0f} MB",
            "ratio": peak["ours"] / peak["naive"], "floor": f"<= {MEMORY_FLOOR_MB} MB",
            "ok": peak["ours"] <= MEMORY_FLOOR_MB,
        },
    }  # fmt: skip


def measure(module: str, *arguments: object) -> Cost:
    """Run a module in a fresh process; it prints how long its work took."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{module} failed")
    wall, cpu = map(float, process.communicate()[0].split())
    return Cost(wall, cpu, usage.ru_maxrss / 1024)


def published(folder: Path) -> pl.LazyFrame:
    """Scan the claims of one of the snapshots, decrypted."""
    snapshot = next((folder / "out").glob("[0-9a-f]*"))
    manifest = read_manifest(snapshot, keys.load_public(folder / "keys/sign.pem.pub"))
    return open_table(snapshot, manifest, key_store(folder / "keys").of(manifest), "claims")


def same_result(peer: str, naive: Path, ours: pl.LazyFrame) -> None:
    """Raise unless both wrote the same table, up to the order of rows."""
    columns = ("patient_id", "rrn", "age_band", "zip3", "kcd")

    def summary(rows: pl.LazyFrame) -> dict[str, Any]:
        day = pl.col("visit_date").cast(pl.Date)
        row_hash = pl.concat_str(
            "patient_id", "rrn", "age_band", "sex", "zip3", day, "kcd", "drug", "amount", "memo"
        ).hash()
        return rows.with_columns(pl.col("drug").cast(pl.String)).select(
            pl.len().alias("rows"), pl.col("amount").sum(), *(pl.col(name).n_unique() for name in columns),
            day.min().alias("first"), day.max().alias("last"), row_hash.cast(pl.Int128).sum().alias("hash"),
        ).collect().row(0, named=True)  # fmt: skip

    expected, found = summary(pl.scan_parquet(naive)), summary(ours)
    if expected != found or not expected["rows"]:
        raise RuntimeError(f"results differ: {peer} {expected}, ours {found}")


def write_claims(path: Path, rows: int, seed: int = 20261124) -> None:
    """Write a synthetic claims table: 25.5 rows per patient, 40 regions, ten years."""
    random = np.random.default_rng(seed)
    people = max(1, int(rows / ROWS_PER_PATIENT))
    patient = random.integers(0, people, rows)
    family, given = (
        "김이박최정강조윤장임",
        ["민준", "서연", "도윤", "하은", "지호", "지우", "예준", "서윤", "시우", "하윤"],
    )
    names = np.array([first + second for first in family for second in given])
    codes = np.array(
        [f"{letter}{number:02d}.{part}" for letter in "ABCDEFGHIJ" for number in range(50) for part in range(3)]
    )
    of_person = {
        "rrn": random.integers(10**12, 10**13, people).astype(str),
        "name": names[random.integers(0, names.size, people)],
        "birth_date": np.datetime64("1925-01-01") + random.integers(0, 33000, people),
        "sex": np.array(["F", "M"])[random.integers(0, 2, people)],
        "zip": (random.integers(100, 140, people) * 100 + random.integers(0, 100, people)).astype(str),
    }
    columns = {
        "patient_id": pl.Series(patient).cast(pl.String).str.zfill(14),
        **{name: pl.Series(values[patient]) for name, values in of_person.items()},
        "visit_date": pl.Series(np.datetime64("2014-01-01") + random.integers(0, 3650, rows)),
        "kcd": codes[random.integers(0, codes.size, rows)],
        "drug": random.integers(10**8, 10**9, 2000).astype(str)[random.integers(0, 2000, rows)],
        "amount": random.integers(1000, 500_000, rows),
        "hospital": np.array([f"H{number:03d}" for number in range(200)])[random.integers(0, 200, rows)],
        "memo": np.array([f"정기 진료 {number}회, 약 처방함" for number in range(500)])[random.integers(0, 500, rows)],
    }
    pl.DataFrame(columns).with_columns(pl.col("birth_date", "visit_date").cast(pl.Date)).write_csv(path)


def main(folder: Path, memory: int | None = None) -> None:
    """Build one snapshot within some bytes of memory, as the command line does."""
    both = keys.load(folder / "keys", folder / "keys/sign.pem")
    both = replace(both, store=key_store(folder / "keys"))
    engine.run(
        recipe.load(folder / "claims.yaml"), folder, folder / "out", both, now=datetime.now(UTC), means=Means(memory)
    )


if __name__ == "__main__":
    with told():
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
