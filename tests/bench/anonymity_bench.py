"""The searches on Adult (30,162 rows) against ARX's stored optimum, anjana, anonypy and pycanon, same hierarchies.

Speeds are CPU seconds, each peer once; losses are normalised certainty penalties, all by one measure.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deid.risk.counting import Codes, people_of
from deid.risk.lattice import Lattice, Limits, Solution, search
from deid.risk.models import KAnonymity, Records, group_records
from deid.risk.mondrian import Axis, Partition, partition
from scripts.setting_up import venvs
from tests.bench import adult_table as adult
from tests.bench.recoding_loss import Group, penalty

ROOT = Path(__file__).parents[2]
K, SHARE = 5, 0.02
# Columns whose values are names: cut as sets, by us and by anonypy.
WORDS = [column for column in adult.QUASI if column != "age"]


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    data = adult.rows()
    theirs = _theirs(data)
    records = adult.records(data)
    lattice = Lattice(records, adult.ladders(), [KAnonymity(K)])
    start = time.process_time()
    solution = search(lattice, Limits(SHARE))
    full = time.process_time() - start
    assert solution is not None
    axes, codes = _axes(data)
    start = time.process_time()
    cut = partition(_tuples(codes), axes, [KAnonymity(K)])
    mondrian = time.process_time() - start
    assert cut is not None
    start = time.process_time()
    k = int(group_records(*_whole(codes)).sizes.min())
    check = time.process_time() - start
    assert k == theirs["pycanon_k"]
    return {
        "deid.full_domain_optimum": _optimum(lattice),
        "deid.full_domain_speed": _ratio(full, theirs["anjana_s"], "anjana", 15),
        "deid.full_domain_loss": _loss(solution.loss, theirs["anjana_loss"], "anjana", 1.0),
        "deid.mondrian_speed": _ratio(mondrian, theirs["anonypy_s"], "anonypy", 200),
        "deid.mondrian_loss": _loss(
            penalty(_groups(_tuples(codes), axes, cut)), penalty(_read(theirs)), "anonypy", 1.05
        ),
        "deid.k_check_speed": _ratio(check, theirs["pycanon_s"], "pycanon", 1),
    }


def _optimum(lattice: Lattice) -> dict[str, Any]:
    """Compare with ARX at every limit it was run with; the figure is the greatest difference of loss."""
    found: dict[float, Solution | None] = {share: search(lattice, Limits(share)) for share in adult.ARX}
    off = max(np.inf if one is None else abs(one.loss - adult.ARX[share][1]) for share, one in found.items())
    peer = "ARX " + ", ".join(f"{share:.0%}: {loss}" for share, (_, loss) in adult.ARX.items())
    return _figure(float(off), "NCP off", peer, None, "<= 0.00005", bool(off <= 5e-5))


def _axes(data: pl.DataFrame) -> tuple[list[Axis], Codes]:
    axes, codes = [], []
    for column in adult.QUASI:
        values, code = np.unique(data[column].to_numpy(), return_inverse=True)
        words = column in WORDS
        places = np.arange(values.size) if words else values
        axes.append(Axis(column, "set" if words else "ordered", places.astype(float)))
        codes.append(code)
    return axes, np.stack(codes, axis=1)


def _tuples(codes: Codes) -> Records:
    tuples, place, rows = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    return Records(tuples, rows, people_of(np.arange(len(codes)), place.reshape(-1), len(tuples)), {})


def _whole(codes: Codes) -> tuple[Records, Codes, int]:
    key = np.zeros(len(codes), np.int64)
    for column in codes.T:
        key = key * (int(column.max()) + 1) + column
    rows = np.unique(key, return_counts=True)[1]
    count = rows.size
    records = Records(np.zeros((count, 0), np.int64), rows, people_of(np.arange(0), np.arange(0), count), {})
    people = records.people.__class__(rows, records.people.patient, records.people.place)
    return Records(records.codes, rows, people, {}), np.arange(count), count


def _theirs(data: pl.DataFrame) -> dict[str, Any]:
    python = venvs.peer(ROOT / "build/anonymity-peers", "anonymity-peers")
    with tempfile.TemporaryDirectory() as folder:
        data.write_csv(Path(folder) / "data.csv")
        asked = {
            "ladders": {column: adult.ladder_rows(column) for column in adult.QUASI},
            "words": WORDS,
            "sensitive": adult.SENSITIVE,
            "k": K,
            "percent": 100 * SHARE,
        }
        (Path(folder) / "ladders.json").write_text(json.dumps(asked))
        command = [python, ROOT / "tests/bench/anonymity_peer.py", folder]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def _groups(records: Records, axes: list[Axis], cut: Partition) -> list[Group]:
    """Give our parts as the measure takes them."""
    found: list[Group] = []
    for part in range(cut.parts):
        codes = records.codes[cut.part == part]
        told = {axis.name: np.unique(np.take(axis.values, codes[:, n])).tolist() for n, axis in enumerate(axes)}
        sets = {name: frozenset(map(str, values)) if name in WORDS else values for name, values in told.items()}
        found.append((int(records.rows[cut.part == part].sum()), sets))
    return found


def _read(theirs: dict[str, Any]) -> list[Group]:
    return [
        (rows, {name: frozenset(map(str, told)) if name in WORDS else told for name, told in group.items()})
        for rows, group in theirs["anonypy_groups"]
    ]


def _ratio(ours: float, theirs: float, peer: str, least: float) -> dict[str, Any]:
    ratio = theirs / max(ours, 1e-6)
    return _figure(1000 * ours, "ms CPU", f"{peer} {1000 * theirs:.0f} ms", ratio, f">= {least:g}x", ratio >= least)


def _loss(ours: float, theirs: float, peer: str, most: float) -> dict[str, Any]:
    ratio = ours / theirs if theirs else 1.0
    return _figure(ours, "NCP", f"{peer} {theirs:.4f}", ratio, f"<= {most:g}x", ratio <= most + 1e-9)


def _figure(value: float, unit: str, peer: str, ratio: float | None, floor: str, ok: bool) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peer": peer, "ratio": ratio, "floor": floor, "ok": ok}
