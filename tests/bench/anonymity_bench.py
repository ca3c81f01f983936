"""The searches against anjana, anonypy and pycanon, on the RAND claims that statsmodels carries, same hierarchies.

ARX's stored optimum on Adult is not here: that copy may not be redistributed (docs/adr/0033-privacy-models.md).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.datasets import randhie

from deid.risk.counting import people_of
from deid.risk.ladder import ladder_of
from deid.risk.lattice import Lattice, Limits, search
from deid.risk.models import KAnonymity, Records, group_records
from deid.risk.mondrian import Axis, Partition, partition
from scripts.setting_up import venvs
from tests.bench.recoding_loss import Group, penalty

ROOT = Path(__file__).parents[2]
K, SHARE, MONDRIAN_ROWS = 5, 0.02, 12_000
QUASI = ["site", "age", "female", "black", "school", "year"]
NUMERIC = QUASI
# Columns of QUASI whose numbers are names: cut as sets, by us and by anonypy.
WORDS = ["site", "female", "black"]


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    data = _data()
    tables = {column: _ladder(sorted(data[column].unique()), column) for column in QUASI}
    theirs = _theirs(data, tables)
    records, codes = _records(data[QUASI])
    ladders = [ladder_of(column, list(zip(*tables[column], strict=True))) for column in QUASI]
    start = time.process_time()
    solution = search(Lattice(records, ladders, [KAnonymity(K)]), Limits(SHARE))
    full = time.process_time() - start
    assert solution is not None
    few, _ = _records(data[NUMERIC].head(MONDRIAN_ROWS))
    kinds = {column: "set" if column in WORDS else "ordered" for column in NUMERIC}
    axes = [
        Axis(column, kinds[column], np.sort(data[column].head(MONDRIAN_ROWS).unique()).astype(float))  # type: ignore[arg-type]
        for column in NUMERIC
    ]
    start = time.process_time()
    cut = partition(few, axes, [KAnonymity(K)])
    mondrian = time.process_time() - start
    assert cut is not None
    start = time.process_time()
    k = int(group_records(*_whole(codes)).sizes.min())
    check = time.process_time() - start
    assert k == theirs["pycanon_k"]
    return {
        "deid.full_domain_speed": _ratio(full, theirs["anjana_s"], "anjana", 15),
        "deid.full_domain_loss": _loss(solution.loss, theirs["anjana_loss"], "anjana", 1.0),
        "deid.mondrian_speed": _ratio(mondrian, theirs["anonypy_s"], "anonypy", 200),
        "deid.mondrian_loss": _loss(penalty(_groups(few, axes, cut)), penalty(_read(theirs)), "anonypy", 1.05),
        "deid.k_check_speed": _ratio(check, theirs["pycanon_s"], "pycanon", 1),
    }


def _data() -> pd.DataFrame:
    raw = pd.read_csv(Path(randhie.__file__).parent / "src/randhie.csv").dropna(
        subset=["xage", "educdec", "black", "mdvis"]
    )
    return pd.DataFrame(
        {
            "site": raw["site"].astype(int),
            "age": raw["xage"].astype(int),
            "female": raw["female"].astype(int),
            "black": (raw["black"] > 0.5).astype(int),
            "school": raw["educdec"].astype(int),
            "year": raw["year"].astype(int),
            "sensitive": raw["mdvis"].astype(int),
        }
    )


def _ladder(values: list[int], column: str) -> list[list[str]]:
    """Each value with its labels: itself, bands for age and years of school, everything."""
    widths = {"age": (5, 10, 20), "school": (4,)}.get(column, ())
    return [[str(v), *(f"{v // w * w}..{v // w * w + w - 1}" for w in widths), "*"] for v in values]


def _records(frame: pd.DataFrame) -> tuple[Records, np.ndarray]:
    codes = np.stack([np.unique(frame[column], return_inverse=True)[1] for column in frame], axis=1)
    tuples, place, rows = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    people = people_of(np.arange(len(codes)), place.reshape(-1), len(tuples))
    return Records(tuples, rows, people, {}), codes


def _whole(codes: np.ndarray) -> tuple[Records, np.ndarray, int]:
    key = np.zeros(len(codes), np.int64)
    for column in codes.T:
        key = key * (int(column.max()) + 1) + column
    rows = np.unique(key, return_counts=True)[1]
    count = rows.size
    records = Records(np.zeros((count, 0), np.int64), rows, people_of(np.arange(0), np.arange(0), count), {})
    people = records.people.__class__(rows, records.people.patient, records.people.place)
    return Records(records.codes, rows, people, {}), np.arange(count), count


def _theirs(data: pd.DataFrame, tables: dict[str, list[list[str]]]) -> dict[str, Any]:
    python = venvs.peer(ROOT / "build/anonymity-peers", "anonymity-peers")
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "data.csv", index=False)
        asked = {
            "ladders": tables,
            "numeric": NUMERIC,
            "words": WORDS,
            "k": K,
            "percent": 100 * SHARE,
            "mondrian_rows": MONDRIAN_ROWS,
        }
        (Path(folder) / "ladders.json").write_text(json.dumps(asked))
        command = [python, ROOT / "tests/bench/anonymity_peer.py", folder]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return json.loads(answer.stdout.splitlines()[-1])


def _groups(records: Records, axes: list[Axis], cut: Partition) -> list[Group]:
    """Give our parts as the measure takes them."""
    found: list[Group] = []
    for part in range(cut.parts):
        codes = records.codes[cut.part == part]
        told = {axis.name: np.take(axis.values, codes[:, n]).tolist() for n, axis in enumerate(axes)}
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


def _figure(value: float, unit: str, peer: str, ratio: float, floor: str, ok: bool) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peer": peer, "ratio": ratio, "floor": floor, "ok": ok}
