"""The checker on its largest files: a full verdict on 100 MB of CSV, in the sealed child, with its usual limits.

Two tables of one row per visit: one plain, one with quoted notes, a million of them different. Found must be what was
planted: an identifier column, one telephone number far down, counts that are too small.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from enclave.airlock.checker import check
from enclave.airlock.report import FileReport
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import SealedPool

BYTES = 100_000_000
FLOOR_S = 60.0
PLANTED = {"row.too-many", "row.id-column", "row.pseudonym", "id.phone", "cell.small"}


def figures() -> dict[str, dict[str, Any]]:
    """Measure; see `run.py` for the form. ``ok`` also asks that everything planted was found."""
    pool = SealedPool()
    pool.start()
    try:
        with tempfile.TemporaryDirectory(prefix="ansim-airlock-bench-") as folder:
            plain = _measure(pool, Path(folder) / "plain.csv", _plain_row)
            quoted = _measure(pool, Path(folder) / "quoted.csv", _quoted_row)
    finally:
        pool.close()
    return {"airlock.csv_100mb": plain, "airlock.csv_100mb_quoted": quoted}


def _measure(pool: SealedPool, path: Path, row: Callable[[int], str]) -> dict[str, Any]:
    _write(path, row)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    started = time.perf_counter()
    report = check(path, path.name, CheckRules(), pool=pool)
    took = time.perf_counter() - started
    return {
        "value": took,
        "unit": "s",
        "peer": f"none; {BYTES / 1e6:.0f} MB, {report.rows or 0:,} rows, missed: {_missed(report) or 'nothing'}",
        "ratio": None,
        "floor": f"<= {FLOOR_S:.0f} s, our own process at most 1 s of it",
        "ok": took <= FLOOR_S
        and not _missed(report)
        and resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 1,
    }


def _missed(report: FileReport) -> str:
    found = {finding.rule for finding in report.findings}
    return " ".join(sorted(PLANTED - found | {"check.failed"} & found))


def _write(path: Path, row: Callable[[int], str]) -> None:
    size = number = 0
    with path.open("w", newline="") as out:
        while size < BYTES:
            size += out.write(row(number))
            number += 1
        out.write(row(number).replace("v", "010-2345-6789 ", 1))


def _plain_row(i: int) -> str:
    if i == 0:
        return "patient_id,code,visit,dept,n,alt,memo\n"
    pseudonym = f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}"
    visit = f"2019-{i % 12 + 1:02d}-{i % 28 + 1:02d}"
    return f"{i * 7919 % 99_999_989},{pseudonym},{visit},{i % 30},{i * 31 % 9973},{i % 977 / 10:.1f},v{i % 5000}\n"


def _quoted_row(i: int) -> str:
    if i == 0:
        return "patient_id,code,visit,n,note\n"
    pseudonym = f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}"
    visit = f"2019-{i % 12 + 1:02d}-{i % 28 + 1:02d}"
    return f'{i * 7919 % 99_999_989},{pseudonym},{visit},{i % 30},"visit no {i}, ""as before"""\n'
