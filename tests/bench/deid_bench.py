"""Snapshot build against the straightforward pandas script, and that script in Polars and DuckDB, on a claims table.

Each runs in a fresh process, in turn; input checks, encryption, buckets, lineage, risk report, twin and signature are
included on our side only, imports on nobody's (nor those of NumPy's parts that are put off to their first use). All
read the same file of twelve columns: Parquet, which the floors are for, then the same rows as CSV. The results must be
the same: rows, total amount, distinct patients, resident numbers and bands, first and last day, and a sum over all
rows.
`ANSIM_BENCH_ROWS` changes the number of rows (1,000,000; above two million each runs once), `ANSIM_BENCH_FORMATS` the
formats (`parquet csv`).
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

import numpy.ma
import numpy.random  # noqa: F401
import polars as pl

from deid import engine, keys, recipe
from deid.many.options import Means
from deid.snapshot import read_manifest
from deid.versions.options import key_store
from deid.versions.tables import open_table
from tests.bench.claims import write_claims
from tests.bench.spent import told

SPEED_FLOOR = 8.0
# A second of one core, at a million rows and at ten million (all that is named above included).
ROWS_PER_CPU_S, ROWS_PER_CPU_S_MANY = 450_000, 350_000
MANY = 2_000_000
MEMORY_FLOOR_MB = 2048
RUNS = 3
PEERS = ("naive", "polars", "duckdb")
FORMATS = ("parquet", "csv")
# What the floors are for: CSV is told beside it.
JUDGED = "parquet"
HERE = Path(__file__).parent

RECIPE = """\
recipe: 1
dataset: claims
version: 1
title: {{ko: 청구, en: Claims}}
provider: bench
legal_basis: 측정
gates: {{k: 5, max_suppressed_share: 1.0}}
tables:
  claims:
    file: claims.{format}
    label: {{ko: 청구, en: Claims}}
    subject: patient_id
    quasi_identifiers: [age_band, sex, zip3, {{column: visit_date, by: year}}]
    columns:
      patient_id: {{treatment: pseudonym, domain: patient}}
      rrn: {{treatment: pseudonym, domain: rrn}}
      name: {{treatment: drop}}
      birth_date: {{treatment: generalise, age_at: visit_date, band: {{width: 5, top: 85}}, as: age_band}}
      sex: {{treatment: keep}}
      zip: {{treatment: generalise, prefix: 3, as: zip3}}
      visit_date: {{treatment: date_shift, max_days: 365}}
      kcd: {{treatment: keep}}
      drug: {{treatment: keep}}
      amount: {{treatment: keep, type: integer}}
      hospital: {{treatment: keep}}
      memo: {{treatment: keep}}
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
    formats = os.environ.get("ANSIM_BENCH_FORMATS", " ".join(FORMATS)).split()
    with tempfile.TemporaryDirectory(prefix="ansim-deid-bench-") as name:
        folder = Path(name)
        both = hospital(folder, rows, tuple(formats))
        labels = (("pseudonym", "patient"), ("pseudonym", "rrn"), ("date-shift", "patient"))
        derived = [both.derive(purpose, "claims", domain).hex() for purpose, domain in labels]
        costs = {form: compared(folder, form, RUNS if rows <= MANY else 1, derived) for form in formats}
    return {name: figure for form in formats for name, figure in told_of(form, costs[form], rows).items()}


def compared(folder: Path, form: str, runs: int, derived: list[str]) -> dict[str, list[Cost]]:
    """Run each side in turn on one format. Raises `RuntimeError` unless all came to the same result."""
    costs: dict[str, list[Cost]] = {"ours": [], **{name: [] for name in PEERS}}
    for _ in range(runs):
        costs["ours"].append(measure("tests.bench.deid_bench", folder, form))
        for peer in PEERS:
            target = folder / f"{peer}.parquet"
            costs[peer].append(measure(f"tests.bench.deid_{peer}", folder / f"claims.{form}", target, *derived))
    for peer in PEERS:
        same_result(peer, folder / f"{peer}.parquet", published(folder / f"out-{form}", folder / "keys"))
    return costs


def hospital(folder: Path, rows: int, formats: tuple[str, ...]) -> keys.Keys:
    """Lay out what a run needs: the table, a recipe for each format, and keys."""
    write_claims(folder, rows, formats)
    master, signing = keys.create_master(folder / "keys"), folder / "keys/sign.pem"
    keys.create_signing(signing)
    for form in formats:
        (folder / f"{form}.yaml").write_text(RECIPE.format(format=form), encoding="utf-8")
    return keys.load(master.parent, signing)


def told_of(form: str, costs: dict[str, list[Cost]], rows: int) -> dict[str, dict[str, Any]]:
    """Put the figures of one format into the form of `run.py`."""
    # The quickest run of each side: other work on the machine only ever adds time.
    wall = {name: min(cost.wall_s for cost in runs) for name, runs in costs.items()}
    cpu = {name: min(cost.cpu_s for cost in runs) for name, runs in costs.items()}
    peak = {name: max(cost.peak_mb for cost in runs) for name, runs in costs.items()}
    against = "; ".join(f"{name} {wall[name]:.2f} s, {cpu[name]:.2f} s CPU, {peak[name]:.0f} MB" for name in costs)
    speed, core = wall["naive"] / wall["ours"], rows / cpu["ours"]
    if form != JUDGED:
        # The floors are for Parquet; what is asked of CSV is that it is told.
        return {
            f"deid.table_rows_per_s_{form}": {
                "value": rows / wall["ours"], "unit": "rows/s", "peer": against,
                "ratio": speed, "floor": "told", "ok": True,
            },
        }  # fmt: skip
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
    """Run a module in a fresh process; it prints what its work took."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.run(command, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{module} failed")
    return Cost(*map(float, process.stdout.split()))


def published(out: Path, of_keys: Path) -> pl.LazyFrame:
    """Scan the claims of one of the snapshots in `out`, decrypted."""
    snapshot = next(out.glob("[0-9a-f]*"))
    manifest = read_manifest(snapshot, keys.load_public(of_keys / "sign.pem.pub"))
    return open_table(snapshot, manifest, key_store(of_keys).of(manifest), "claims")


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


def main(folder: Path, form: str, memory: int | None = None) -> None:
    """Build one snapshot from one format within some bytes of memory, as the command line does."""
    both = keys.load(folder / "keys", folder / "keys/sign.pem")
    both = replace(both, store=key_store(folder / "keys"))
    rules, out = recipe.load(folder / f"{form}.yaml"), folder / f"out-{form}"
    engine.run(rules, folder, out, both, now=datetime.now(UTC), means=Means(memory))


if __name__ == "__main__":
    with told():
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
