"""The door to recomputation: a stored file and its recipe in; findings, evidence and populations out.

Two sealed processes, so that none has both: one parses the researcher's file and sees no snapshot; its answer, a table
of texts, goes unread through a memory file to the other, which sees the snapshot and never the file. Nothing is parsed
here. What fails is a BLOCK with `recompute.failed`; the only way to `match` is a whole answer.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid.errors import DeidError, KeyFileError, SnapshotDamaged, SnapshotShredded
from enclave.airlock.checker import shared_pool
from enclave.airlock.checks.findings import block
from enclave.airlock.recipes.form import Recipe, RecipeRefused
from enclave.airlock.recompute.populations import from_json
from enclave.airlock.recompute.snapshot import NotEntitled, Opened, Source, check_entitled, opened
from enclave.airlock.recompute.work import KIND, TITLES, Recomputed
from enclave.airlock.report import Evidence, FileReport, Finding, Status
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

WORKER = "enclave.airlock.recompute.worker"
GRID_BYTES, ANSWER_BYTES = 16 * MEBIBYTE, 256 * MEBIBYTE
# A snapshot of millions of people is read as arrays.
MEMORY_BYTES = 6 * 1024 * MEBIBYTE
MOST_FILES = 48
# What true contributors settle is not guessed from names and shapes as well.
SETTLED = frozenset({"cell.small", "row.no-counts", "row.per-subject", "row.unique-key"})


@cache
def recompute_pool() -> SealedPool:
    """Return this process's pool of sealed children that see snapshots; it ends with the process."""
    pool = SealedPool(WORKER, parallel=1)
    atexit.register(pool.close)
    return pool


class NoTable(Exception):  # noqa: N818 - named for what happened; becomes a finding
    """The file is not one table and nothing else."""

    rule = "recompute.shape"
    ko = "만든 방법(recipe)이 있는 파일은 표 하나여야 합니다. ansim이 저장한 CSV를 그대로 제출하세요."
    en = "A file with a recipe is one table and nothing else. Submit the CSV as ansim saved it."


UNREADABLE: dict[type[DeidError], str] = {
    SnapshotDamaged: "the snapshot differs from what was signed",
    SnapshotShredded: "a patient withdrew, and this version of the snapshot is not whole any more",
    KeyFileError: "the keys of the snapshot cannot be read",
}
REFUSALS = (NotEntitled, RecipeRefused, NoTable)


def start_soon() -> None:
    """Start the pool beside other work: its imports take seconds, and nobody should wait for them."""
    threading.Thread(target=_start, name="recompute-start", daemon=True).start()


def _start() -> None:
    # A pool that does not start now is tried again with the first file, whose report then says why.
    with suppress(SealedFailure):
        recompute_pool().start()


@dataclass(frozen=True)
class Basis:
    """What a file is recomputed from: its recipe, and what its project may compute with (None: nothing of it)."""

    recipe: Recipe
    source: Source | None
    public_key: Ed25519PublicKey


def recompute(path: Path, name: str, basis: Basis, rules: CheckRules) -> Recomputed:
    """Make the file at ``path`` again from its recipe and compare the two.

    ``path`` must be a stored copy that nobody writes to. Raises `OSError` only when it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        source = check_entitled(basis.recipe, basis.source)
        grid = _grid(descriptor, name, rules)
        with _memory(grid) as table, opened(source, basis.recipe, basis.public_key) as tables:
            return _compared(table, basis.recipe, tables, rules)
    except REFUSALS as refused:
        return _stopped(block(refused.rule, refused.ko, refused.en))
    except SealedFailure as failure:
        return _stopped(_failed(failure.why))
    except (SnapshotDamaged, SnapshotShredded, KeyFileError) as error:
        return _stopped(_failed(UNREADABLE[type(error)]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _stopped(_failed("its answer was no report"))
    finally:
        os.close(descriptor)


def with_recomputed(report: FileReport, found: Recomputed) -> FileReport:
    """Return a file's report with what was recomputed; a match settles what other checks only guess."""
    kept = [one for one in report.findings if not (found.matches and one.rule in SETTLED)]
    return replace(report, findings=(*found.findings, *kept), evidence=(*report.evidence, *found.evidence))


def _grid(descriptor: int, name: str, rules: CheckRules) -> bytes:
    job = {"do": "cells", "name": name.encode("utf-8", "backslashreplace").decode()[:600], "rules": rules.to_json()}
    limits = Limits(timeout_s=rules.timeout_s, memory_bytes=rules.memory_bytes, answer_bytes=GRID_BYTES)
    grid = shared_pool().run(job, descriptor, limits).body
    if grid == b"{}":
        raise NoTable
    return grid


def _compared(grid: int, recipe: Recipe, tables: dict[str, Opened], rules: CheckRules) -> Recomputed:
    more = [descriptor for table in tables.values() for descriptor in table.descriptors]
    if len(more) > MOST_FILES:
        raise SealedFailure(f"the snapshot has more than {MOST_FILES} files")
    job = {
        "recipe": recipe.canonical(),
        "rules": rules.to_json(),
        "tables": {name: {"files": len(one.descriptors), "person": one.person} for name, one in tables.items()},
    }
    limits = Limits(timeout_s=rules.timeout_s, memory_bytes=MEMORY_BYTES, answer_bytes=ANSWER_BYTES)
    return _read(recompute_pool().run(job, grid, limits, more).body)


def _read(body: bytes) -> Recomputed:
    said = json.loads(body)
    report = FileReport.from_json(said["report"])
    return Recomputed(report.findings, report.evidence, from_json(said["cells"]))


@contextmanager
def _memory(content: bytes) -> Iterator[int]:
    descriptor = os.memfd_create("cells", os.MFD_CLOEXEC)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        yield descriptor
    finally:
        os.close(descriptor)


def _stopped(*findings: Finding) -> Recomputed:
    evidence = Evidence(kind=KIND, title_ko=TITLES[0], title_en=TITLES[1], status=Status.NONE)
    return Recomputed(findings=findings, evidence=(evidence,))


def _failed(why: str) -> Finding:
    return block(
        "recompute.failed",
        f"스냅샷에서 다시 계산하지 못해 막았습니다({why[:200]}). 잠시 뒤 다시 하고, 계속되면 운영자에게 알리세요.",
        f"It could not be recomputed, so it is stopped ({why[:200]}). Try again; if it goes on, tell the operator.",
    )


def source_of(recipe: Recipe, sources: Sequence[Source]) -> Source | None:
    """Return the source that a recipe names, if the project has it."""
    return next((one for one in sources if (one.dataset, one.snapshot) == (recipe.dataset, recipe.snapshot)), None)
