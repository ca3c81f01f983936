"""How long a table and a model take to be made again on a snapshot of a million people, through the whole door.

Parsing the file in one sealed process, verifying the snapshot's files, recomputing every cell with its contributors and
populations in the other. The peer is the scientist's own way: pandas on the same file, without people or dominance.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from enclave.airlock.checker import shared_pool
from enclave.airlock.recipes.form import parse_recipe
from enclave.airlock.recompute.door import Basis, recompute, recompute_pool
from enclave.airlock.rules import CheckRules
from tests.enclave.airlock.recompute.hospital import Hospital, build

PEOPLE, LIMIT = 1_000_000, 3.0
CLIENT = Path(__file__).parents[2] / "enclave" / "notebook"


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    with tempfile.TemporaryDirectory() as folder:
        clinic = build(Path(folder), {"patients": _people()})
        ansim = _client(clinic)
        shared_pool().start()
        recompute_pool().start()
        made, theirs = _timed(lambda: ansim.table(
            "clinic/patients", ["region", "age"], "sex", "paid", ["count", "mean", "median"], margins=True
        ))  # fmt: skip
        model, model_theirs = _timed(lambda: ansim.model("ols", "paid ~ age + sex + region", "clinic/patients"))
        return {
            "airlock.recompute_1m": _figure(clinic, made, theirs, Path(folder)),
            "airlock.recompute_model_1m": _figure(clinic, model, model_theirs, Path(folder)),
        }


def _figure(clinic: Hospital, made: Any, theirs: float, folder: Path) -> dict[str, Any]:
    path = made.save(folder / "made.csv")
    basis = Basis(parse_recipe(made.recipe), clinic.source, clinic.public_key)
    found, ours = _timed(lambda: recompute(path, path.name, basis, CheckRules()))
    return {
        "value": ours, "unit": "s", "peer": f"{theirs:.1f} s in pandas", "ratio": ours / theirs,
        "floor": f"≤ {LIMIT:.0f} times pandas, every cell found again", "ok": ours <= LIMIT * theirs and found.matches,
    }  # fmt: skip


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def _people() -> pa.Table:
    rng = np.random.default_rng(1)
    return pa.table({
        "patient": [f"{number:032x}" for number in rng.permutation(PEOPLE).tolist()],
        "sex": rng.choice(["F", "M"], PEOPLE).tolist(),
        "age": rng.integers(2, 9, PEOPLE) * 10,
        "region": rng.choice([f"r{number:02d}" for number in range(17)], PEOPLE).tolist(),
        "paid": rng.gamma(2.0, 50.0, PEOPLE),
    })  # fmt: skip


def _client(clinic: Hospital) -> Any:
    import os

    os.environ["ANSIM_DATA"], os.environ["ANSIM_RECIPES"] = str(clinic.data), str(clinic.data / "recipes.jsonl")
    sys.path.insert(0, str(CLIENT))
    import ansim
    from ansim import frames, modelling, tabulating

    told = frames.Source(clinic.source.snapshot, 10)
    tabulating.source = modelling.source = lambda _: told
    return ansim
