"""A small snapshot and recipes of every kind: what the sealed process runs once before it is sealed."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from enclave.airlock.recipes.form import FORMAT
from enclave.airlock.rules import CheckRules

ROWS = 60
OPS = ("sum", "mean", "std", "median", "min", "max")


def rehearse(run: Callable[[dict[str, Any], int], bytes]) -> None:
    """Run one recipe of each kind over a table of made-up people."""
    data = _memory("data", _parquet())
    grid = _memory("grid", json.dumps({"columns": ["a"], "rows": [["1"]]}).encode())
    try:
        for recipe in (_table(), *(_model(name) for name in ("ols", "logit", "probit", "poisson"))):
            tables = {name: {"files": 1, "person": "patient"} for name in ("t", "u")}
            job = {"recipe": json.dumps(recipe), "rules": CheckRules().to_json(), "tables": tables}
            run({**job, "descriptors": [data, data]}, grid)
    finally:
        os.close(data)
        os.close(grid)


def _parquet() -> bytes:
    columns = {
        "patient": [f"p{n:03d}" for n in range(ROWS)],
        "sex": ["FM"[n % 2] for n in range(ROWS)],
        "value": [float(n % 7) + n / 100 for n in range(ROWS)],
        "age": [20 + n % 50 for n in range(ROWS)],
        "yes": [bool(n * 7 % 5 < 2) for n in range(ROWS)],  # noqa: PLR2004 - some of both
        "day": [date(2020, 1, 1 + n % 28) for n in range(ROWS)],
        "at": [datetime(2020, 1, 1 + n % 28) for n in range(ROWS)],  # noqa: DTZ001 - as snapshots hold them
    }
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, compression="zstd")
    return target.getvalue()


def _base() -> dict[str, Any]:
    return {"format": FORMAT, "snapshot": "0" * 64, "dataset": "d", "table": "t", "join": "u"}


def _table() -> dict[str, Any]:
    filters = [
        ["sex", "in", ["F", "M"]],
        {"or": [["value", "between", [0, 9]], ["age", "null", None]]},
        ["day", ">=", "2020-01-01"],
        ["at", ">=", "2020-01-01T00:00:00"],
    ]
    return _base() | {
        "kind": "table",
        "filter": filters,
        "bands": {"band": {"column": "age", "cuts": [0, 40, 90]}},
        "keys": ["band", "yes"],
        "columns": ["u.sex"],
        "measures": [{"op": "count"}, {"op": "persons"}, *({"op": op, "column": "value"} for op in OPS)],
        "margins": True,
        "suppressed": {"below": 5},
    }


def _model(name: str) -> dict[str, Any]:
    response = "yes" if name in {"logit", "probit"} else "age"
    terms = [["value"], ["u.sex"], ["value", "u.sex"]]
    model = {"kind": "model", "model": name, "response": response, "terms": terms, "categories": {"u.sex": None}}
    return _base() | model


def _memory(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    os.write(descriptor, content)
    return descriptor
