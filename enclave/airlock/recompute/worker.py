"""What runs inside the sealed child of recomputation: a table of texts and open snapshot files in, findings out."""

from __future__ import annotations

import json
import os
from typing import Any

from enclave.airlock.checks.findings import block
from enclave.airlock.document import Table
from enclave.airlock.recipes.form import RecipeRefused, parse_recipe
from enclave.airlock.recompute import rehearsal
from enclave.airlock.recompute.frame import Stored
from enclave.airlock.recompute.populations import to_json
from enclave.airlock.recompute.work import Recomputed, recompute
from enclave.airlock.report import FileReport
from enclave.airlock.rules import CheckRules

PIECE = 1 << 20


def warm() -> None:
    """Recompute a small table and a model of each kind, so that nothing has to be imported later."""
    rehearsal.rehearse(run)


def run(job: dict[str, Any], descriptor: int) -> bytes:
    """Recompute one file; returns UTF-8 JSON: a report with findings and evidence, and the cells' people."""
    found = _recomputed(job, descriptor)
    report = FileReport(name="", sha256="", kind="table", findings=found.findings, evidence=found.evidence)
    return json.dumps({"report": report.to_json(), "cells": to_json(found.cells)}).encode()


def _recomputed(job: dict[str, Any], descriptor: int) -> Recomputed:
    grid = json.loads(_read(descriptor))
    printed = Table(tuple(grid["columns"]), tuple(tuple(row) for row in grid["rows"]))
    opened = iter(job["descriptors"])
    tables = {
        name: Stored(tuple(next(opened) for _ in range(table["files"])), table["person"])
        for name, table in job["tables"].items()
    }
    try:
        return recompute(printed, parse_recipe(json.loads(job["recipe"])), tables, CheckRules.from_json(job["rules"]))
    except RecipeRefused as refused:
        return Recomputed(findings=(block(refused.rule, refused.ko, refused.en),))


def _read(descriptor: int) -> bytes:
    pieces, offset = [], 0
    while piece := os.pread(descriptor, PIECE, offset):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)
