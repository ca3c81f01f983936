"""Verifying a whole log offline, and that ten times the log takes ten times as long and not more.

`make bench` compares 50,000 with 500,000 entries; `python -m tests.bench.audit_growth_bench --entries 10000000` does
the same with as many as asked for. The log is written as the sequencer writes it, without a database.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from audit import durable
from audit.note import Checkpoint
from audit.tiles import ENTRIES, WIDTH, Edge, Tile, pack
from audit.verify import verify_log
from tests.audit.logs import SIGNER
from tests.bench.audit_bench import EVENT

ROUNDS = 3
LARGE = 500_000
# Whole tiles at a time; of the levels above, versions that were outgrown stay, as after a crash.
BATCH = 40 * WIDTH
LINEAR = 1.25


def figures() -> dict[str, dict[str, Any]]:
    """Return how verification grows."""
    return measure(LARGE)


def measure(count: int) -> dict[str, dict[str, Any]]:
    """Verify a log of `count` entries and one of a tenth, turn and turn about."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-growth-"))
    try:
        sizes = (count // 10, count)
        for size in sizes:
            write(folder / str(size), size)
        times: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
        for _ in range(ROUNDS):
            for size in sizes:
                times[size].append(_verified(folder / str(size)))
        own = sum(len(entry(number)) for number in range(0, count, count // 1000)) * (count // 1000)
        disk = _on_disk(folder / str(count)) / own
    finally:
        shutil.rmtree(folder)
    # How it grows is told by the processor's time: neighbours on the machine do not change that.
    small, large = (min(worked for _, worked in times[size]) / size for size in sizes)
    rate = count / statistics.median(spent for spent, _ in times[count])
    load = os.getloadavg()[0]
    return {
        "audit.verify_growth": {
            "value": round(rate),
            "unit": "entries/s",
            "peer": f"processor time an entry in a tenth of the log, {small * 1e6:.2f} µs "
            f"({sizes[1]:,} against {sizes[0]:,} entries, load {load:.0f})",
            "ratio": round(large / small, 3),
            "floor": f"<= {LINEAR}x",
            "ok": large <= LINEAR * small,
        },
        "audit.disk": {
            "value": round(disk, 3),
            "unit": "x",
            "peer": f"the entries' own bytes, {own / count:.0f} each ({count:,} entries, as blocks on disk)",
            "ratio": round(disk, 3),
            "floor": "<= 1.2x",
            "ok": disk <= 1.2,
        },
    }


def write(folder: Path, count: int) -> None:
    """Write a published log of `count` different entries of about 500 bytes."""
    folder.mkdir()
    edge = Edge()
    for first in range(0, count, BATCH):
        data = [entry(number) for number in range(first, min(first + BATCH, count))]
        files = {
            Tile(ENTRIES, (first + at) // WIDTH, len(data[at : at + WIDTH])): pack(data[at : at + WIDTH])
            for at in range(0, len(data), WIDTH)
        }
        for tile, content in (files | edge.extend(data)).items():
            # Without an fsync each: this is no log that must outlive a power cut.
            path = folder / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    durable.write_checkpoint(folder, SIGNER.sign(str(Checkpoint(SIGNER.name, edge.size, edge.root()))).encode())


def entry(number: int) -> bytes:
    """Return one of many different entries, of the size that decisions have."""
    return EVENT.entry(
        entry_id=f"{number:026}", at=f"2026-01-01T00:00:00.{number % 1_000_000:06}Z", observer="portal-1"
    )


def _verified(folder: Path) -> tuple[float, float]:
    """Verify; return the seconds by the clock and those of the processor."""
    started, worked = time.perf_counter(), time.process_time()
    report = verify_log(folder, SIGNER.vkey)
    spent = time.perf_counter() - started, time.process_time() - worked
    assert report.ok, report.text("en")
    return spent


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure with as many entries as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=LARGE)
    for name, figure in measure(parser.parse_args().entries).items():
        print(name, figure)


if __name__ == "__main__":
    main()
