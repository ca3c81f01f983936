"""Versions: what encryption costs when a table is written, and how much of a new version has to be stored anew."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from deid import engine, keys, recipe
from deid.engine import RunResult
from deid.versions.before import load
from deid.versions.options import key_store
from deid.versions.tables import encryption
from tests.bench.claims import write_claims
from tests.bench.deid_bench import RECIPE

ROWS = int(os.environ.get("ANSIM_BENCH_ROWS", "1000000"))
RUNS, FILES = 9, 64
# deid-tabular.md §9 and §6: 64 buckets and files of added rows.
WRITE_FLOOR, ADDED_FLOOR, WITHDRAWN_FLOOR = 1.1, 0.15, 0.25
FEED = "withdrawals: withdrawn.csv\n"


def figures() -> dict[str, dict[str, Any]]:
    """Measure; see `run.py` for the form."""
    with tempfile.TemporaryDirectory(prefix="ansim-versions-bench-") as name:
        folder = Path(name)
        write_claims(folder, ROWS, ("csv",))
        plain, encrypted = _costs(pl.read_csv(folder / "claims.csv").sort("patient_id"), folder)
        added, withdrawn = _shares(folder)
    ratio = encrypted / plain
    return {
        "deid.encrypted_write": {
            "value": encrypted, "unit": "CPU s", "peer": f"the same files in the clear: {plain:.2f} CPU s",
            "ratio": ratio, "floor": f"<= {WRITE_FLOOR:g}", "ok": ratio <= WRITE_FLOOR,
        },
        "deid.version_two_percent_more": {
            "value": added, "unit": "of the bytes anew", "peer": "a copy: 1", "ratio": added,
            "floor": f"<= {ADDED_FLOOR:g}", "ok": added <= ADDED_FLOOR,
        },
        "deid.version_ten_withdrawn": {
            "value": withdrawn, "unit": "of the bytes anew", "peer": "a copy: 1", "ratio": withdrawn,
            "floor": f"<= {WITHDRAWN_FLOOR:g}", "ok": withdrawn <= WITHDRAWN_FLOOR,
        },
    }  # fmt: skip


def _costs(frame: pl.DataFrame, folder: Path) -> tuple[float, float]:
    """CPU seconds to write the rows to `FILES` files in the clear and encrypted; medians, turn about."""
    step = -(-frame.height // FILES)
    parts = [frame[at : at + step] for at in range(0, frame.height, step)]
    spent: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(RUNS):
        for secret in (False, True):
            start = time.process_time()
            for part in parts:
                part.write_parquet(
                    folder / "part.parquet", compression="zstd", compression_level=3,
                    encryption=encryption(os.urandom(32)) if secret else None,
                )  # fmt: skip
            spent[secret].append(time.process_time() - start)
    return statistics.median(spent[False]), statistics.median(spent[True])


def _shares(folder: Path) -> tuple[float, float]:
    """Share of bytes stored anew for two per cent more rows, and for ten people fewer."""
    keys.create_master(folder / "keys")
    keys.create_signing(folder / "keys/sign.pem")
    (folder / "claims.yaml").write_text(FEED + RECIPE.format(format="csv"), encoding="utf-8")
    (folder / "withdrawn.csv").write_text("subject,withdrawn_on\n")
    whole = (folder / "claims.csv").read_bytes().splitlines(keepends=True)
    (folder / "claims.csv").write_bytes(b"".join(whole[: -ROWS // 50]))
    first = _build(folder, None)
    (folder / "claims.csv").write_bytes(b"".join(whole))
    second = _build(folder, first)
    people = (
        pl.read_csv(folder / "claims.csv", columns=["patient_id"], infer_schema=False)["patient_id"].unique().sort()
    )
    gone = people.gather_every(people.len() // 10).head(10)
    (folder / "withdrawn.csv").write_text("subject,withdrawn_on\n" + "".join(f"{who},2026-01-01\n" for who in gone))
    return _anew(second, first), _anew(_build(folder, second), second)


def _build(folder: Path, before: RunResult | None) -> RunResult:
    own = keys.load(folder / "keys", folder / "keys/sign.pem")
    own = replace(own, store=key_store(folder / "keys"))
    follows = load(before.snapshot, own.signing.public_key(), own.store) if before else None
    plan = recipe.load(folder / "claims.yaml")
    return engine.run(plan, folder, folder / "out", own, now=datetime.now(UTC), before=follows)


def _anew(result: RunResult, before: RunResult) -> float:
    """Share of a version's data that is not a link to a file of the one before."""
    known = {path.stat().st_ino for path in before.snapshot.rglob("*.parquet")}
    sizes = [(path.stat().st_ino in known, path.stat().st_size) for path in result.snapshot.rglob("*.parquet")]
    return sum(size for kept, size in sizes if not kept) / sum(size for _, size in sizes)
