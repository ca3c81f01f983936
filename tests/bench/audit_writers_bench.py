"""Eight writers on PostgreSQL: what the entry costs them, and how soon each commit is under a signed checkpoint.

Eight processes decide on requests as commands do, a second with entries and guard, a second without, turn and turn
about, so that neighbours in time share the machine's mood. The sequencer is the real one, a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from audit import guard, keys, outbox, tables
from audit.reader import LogReader
from audit.tables import audit_leaf
from audit.tiles import CHECKPOINT
from tests.bench.audit_bench import EVENT, Account, Base, Decision, Request, RoleRow
from tests.bench.postgres import cluster

WRITERS, ROUNDS, ROUND_S = 8, 8, 1.5
# When a commit ended, on the clock that all processes share, and the id of its entry.
Commit = tuple[float, str]
Told = tuple[list[int], list[Commit]]


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of eight writers."""
    name = tempfile.mkdtemp(prefix="ansim-writers-")
    folder = Path(name)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        with cluster(folder) as url:
            return _measured(url, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(url: str, folder: Path) -> dict[str, dict[str, Any]]:
    engine = create_engine(url)
    tables.metadata.create_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Account(id="u-1", state="active"), RoleRow(account="u-1", role="output_checker")])
        session.add_all(Request(id=f"E-{number}", author="u-2", state="submitted") for number in range(WRITERS))
        session.commit()
    (folder / "published").mkdir()
    keys.create(folder / "log.key")
    with _sequencer(url, folder):
        told, seen = _rounds(url, folder / "published")
    with engine.connect() as connection:
        places = {row.entry_id: row.leaf_index for row in connection.execute(select(audit_leaf))}
    engine.dispose()
    audited, plain = ([sum(each[0][at] for each in told) for at in range(kind, ROUNDS, 2)] for kind in (0, 1))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(audited, plain, strict=True))
    waits = sorted(_waits(told, places, seen))
    p95 = waits[int(0.95 * len(waits))] * 1000
    load = os.getloadavg()[0]
    return {
        "audit.commits_8_writers": {
            "value": round(statistics.median(audited) / ROUND_S, 1),
            "unit": "commits/s",
            "peer": f"the same without entry, guard and sequencer's work, "
            f"{statistics.median(plain) / ROUND_S:.1f}/s (PostgreSQL, load {load:.0f})",
            "ratio": round(ratio, 3),
            "floor": ">= 0.5x",
            "ok": ratio >= 0.5,
        },
        "audit.checkpoint_8_writers_p95": {
            "value": round(p95, 1),
            "unit": "ms",
            "peer": f"floor; {len(waits):,} commits of 8 writers, median {statistics.median(waits) * 1000:.0f} ms, "
            f"sequencer steps every 250 ms (load {load:.0f})",
            "ratio": round(p95 / 1000, 3),
            "floor": "<= 1000",
            "ok": p95 <= 1000,
        },
    }


@contextmanager
def _sequencer(url: str, folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "audit.serve", url, str(folder / "published"), str(folder / "log.key")]
    with subprocess.Popen([*command, "--interval", "0.25"]) as process:
        try:
            yield
        finally:
            process.terminate()


def _rounds(url: str, log: Path) -> tuple[list[Told], list[tuple[float, int]]]:
    """Let the writers write; return what each did, and when the published log had which size."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(WRITERS), context.Queue()
    writers = [context.Process(target=_write, args=(url, number, barrier, queue)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    told: list[Told] = []
    seen: list[tuple[float, int]] = []
    end = float("inf")
    while time.monotonic() < end:
        size = LogReader(log).size if (log / CHECKPOINT).exists() else 0
        if not seen or seen[-1][1] != size:
            seen.append((time.monotonic(), size))
        if not queue.empty():
            told.append(queue.get())
        if len(told) == WRITERS and end == float("inf"):
            end = time.monotonic() + 5
        time.sleep(0.005)
    for writer in writers:
        writer.join()
    return told, seen


def _write(url: str, number: int, barrier: Barrier, queue: Any) -> None:
    engines = {audited: create_engine(url) for audited in (True, False)}
    guard.install(engines[True])
    counts: list[int] = []
    commits: list[Commit] = []
    for turn in range(ROUNDS):
        audited, engine = turn % 2 == 0, engines[turn % 2 == 0]
        barrier.wait()
        end, count = time.monotonic() + ROUND_S, 0
        while time.monotonic() < end:
            entry_id = _decide(engine, number, count, audited=audited)
            if entry_id:
                commits.append((time.monotonic(), entry_id))
            count += 1
        counts.append(count)
    queue.put((counts, commits))


def _decide(engine: Any, writer: int, number: int, *, audited: bool) -> str:
    """Three reads, an update and an insert: what deciding on a request needs at least; return the entry's id."""
    with Session(engine) as session:
        checker = session.get_one(Account, "u-1")
        session.scalars(select(RoleRow.role).where(RoleRow.account == checker.id)).all()
        request = session.get_one(Request, f"E-{writer}")
        request.state = f"decided-{number}"
        session.add(Decision(request=request.id, checker=checker.id, verdict="approved"))
        entry_id = outbox.append(session.connection(), EVENT, observer="portal-1") if audited else ""
        session.commit()
    return entry_id


def _waits(told: list[Told], places: dict[str, int], seen: list[tuple[float, int]]) -> Iterator[float]:
    sizes = [size for _, size in seen]
    for _, commits in told:
        for ended, entry_id in commits:
            at = bisect_right(sizes, places[entry_id])
            # What was never published within five seconds after the end counts as that.
            published = seen[at][0] if at < len(seen) else seen[-1][0] + 5
            yield max(0.0, published - ended)
