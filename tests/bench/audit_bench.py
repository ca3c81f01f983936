"""What the log costs and how fast it is checked: each figure beside its peer, measured in the same run."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from pymerkle import InmemoryTree
from pymerkle.proof import verify_inclusion
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from audit import guard, keys, outbox, tables
from audit.event import Event, Subjects
from audit.merkle import leaf_hash, root_from_inclusion
from audit.note import Signer
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.serve import open_engine
from audit.tiles import CHECKPOINT
from audit.verify import verify_log

PAIRS = 800
ENTRIES = 100_000
COMMITS = 30
# About 500 bytes, as a decision on an egress request.
EVENT = Event(
    action="reviewing.decide",
    outcome="allowed",
    actor_id="u-0193",
    actor_role="output_checker",
    from_ip="10.20.3.41",
    session="s-88213",
    object_kind="egress_request",
    object_id="E-2291",
    object_sha256="ab" * 32,
    project="P2026-014",
    reason_code="output.checked",
    reason_text="최소빈도 10 충족, 지배성 검토 완료",
    rule="egress/v3@sha256:" + "cd" * 16,
    subjects=Subjects(12031, "pseudonymised"),
)


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = _command_latency(folder)
        found |= _sequencing(folder)
        found |= _verification(folder)
    return found


def _figure(value: float, unit: str, peer: str, ratio: float, *, floor: str, ok: bool) -> dict[str, Any]:
    return {"value": round(value, 3), "unit": unit, "peer": peer, "ratio": round(ratio, 3), "floor": floor, "ok": ok}


def _engine(path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode = WAL"))
    return engine


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]


class RoleRow(Base):
    __tablename__ = "role"
    account: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class Request(Base):
    __tablename__ = "request"
    id: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str]
    state: Mapped[str]


class Decision(Base):
    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    request: Mapped[str]
    checker: Mapped[str]
    verdict: Mapped[str]


def _command_latency(folder: Path) -> dict[str, dict[str, Any]]:
    """One decision as commands write it, with its entry under the guard and without both, turn and turn about."""
    engines = {audited: _engine(folder / f"latency-{audited}.sqlite") for audited in (False, True)}
    for engine in engines.values():
        tables.metadata.create_all(engine)
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all([Account(id="u-1", state="active"), RoleRow(account="u-1", role="output_checker")])
            session.add(Request(id="E-1", author="u-2", state="submitted"))
            session.commit()
    guard.install(engines[True])
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(PAIRS):
        # Neighbours in time share the disk's mood; who goes first alternates.
        for audited in (turn % 2 == 0, turn % 2 == 1):
            times[audited].append(_decide(engines[audited], turn, audited=audited))
    for engine in engines.values():
        engine.dispose()
    ours, theirs = (statistics.median(times[audited]) * 1000 for audited in (True, False))
    peer = f"the same transaction without entry and guard, {theirs:.3f} ms (SQLite, WAL, FULL)"
    return {"audit.command_latency": _figure(ours, "ms", peer, ours / theirs, floor="<= 1.5x", ok=ours <= 1.5 * theirs)}


def _decide(engine: Engine, number: int, *, audited: bool) -> float:
    """Three reads, an update and an insert in one session: what deciding on an egress request needs at least."""
    started = time.perf_counter()
    with Session(engine) as session:
        checker = session.get_one(Account, "u-1")
        roles = session.scalars(select(RoleRow.role).where(RoleRow.account == checker.id)).all()
        request = session.get_one(Request, "E-1")
        assert checker.state == "active"
        assert "output_checker" in roles
        request.state = f"decided-{number}"
        session.add(Decision(request=request.id, checker=checker.id, verdict="approved"))
        if audited:
            outbox.append(session.connection(), EVENT, observer="portal-1")
        session.commit()
    return time.perf_counter() - started


def _sequencing(folder: Path) -> dict[str, dict[str, Any]]:
    """Order, publish and index a backlog; then how long a lone commit waits for its signed checkpoint."""
    engine, signer = _engine(folder / "log.sqlite"), keys.create(folder / "key")
    tables.metadata.create_all(engine)
    writer = ENTRIES / _seconds(lambda: _write_backlog(engine))
    with closing(Sequencer(engine, folder / "log", signer, signer.name)) as sequencer:
        thread = threading.Thread(target=sequencer.step)
        rate = ENTRIES / _seconds(lambda: (thread.start(), _until_published(folder / "log", ENTRIES)))
        # What is left of the step fills the search index.
        thread.join()
        waits = _waits(engine, folder / "log", sequencer)
    engine.dispose()
    p95 = sorted(waits)[int(0.95 * len(waits))] * 1000
    return {
        "audit.sequencing": _figure(
            rate,
            "entries/s",
            f"one writer that never waits, all entries in one transaction: {writer:,.0f}/s",
            rate / writer,
            floor=">= 20000",
            ok=rate >= 20_000,
        ),
        "audit.commit_to_checkpoint_p95": _figure(
            p95, "ms", "floor; sequencer steps every 250 ms", p95 / 1000, floor="<= 1000", ok=p95 <= 1000
        ),
    }


def _write_backlog(engine: Engine) -> None:
    with engine.begin() as connection:
        for _ in range(ENTRIES):
            outbox.append(connection, EVENT, observer="portal-1")


def _waits(engine: Engine, log: Path, sequencer: Sequencer) -> list[float]:
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run, args=(stop, 0.25))
    thread.start()
    waits = []
    try:
        for number in range(COMMITS):
            with engine.begin() as connection:
                outbox.append(connection, EVENT, observer="portal-1")
            started = time.perf_counter()
            _until_published(log, ENTRIES + number + 1)
            waits.append(time.perf_counter() - started)
            # Not in step with the sequencer.
            time.sleep(0.037 * (number % 7))
    finally:
        stop.set()
        thread.join()
    return waits


def _until_published(log: Path, size: int) -> None:
    while not (log / CHECKPOINT).exists() or LogReader(log).size < size:
        time.sleep(0.001)


def _verification(folder: Path) -> dict[str, dict[str, Any]]:
    signer: Signer = keys.load(folder / "key")
    reader = LogReader(folder / "log", signer.vkey)
    data = [entry for _, entry in reader.entries()]
    limit = len(data) / _seconds(lambda: [sha256(b"\x00" + entry).digest() for entry in data])
    seconds = _seconds(lambda: verify_log(folder / "log", signer.vkey))
    assert verify_log(folder / "log", signer.vkey).ok
    rate = len(data) / seconds
    return {
        "audit.verify_log": _figure(
            rate,
            "entries/s",
            f"SHA-256 of every entry and nothing else, {limit:,.0f}/s",
            rate / limit,
            floor=">= 150000",
            ok=rate >= 150_000,
        ),
        "audit.verify_inclusion": _inclusion(data[:20_000], reader),
    }


def _inclusion(data: list[bytes], reader: LogReader) -> dict[str, Any]:
    """Checking proofs, beside pymerkle on a tree of the same entries."""
    chosen = range(0, len(data), 40)
    proofs = [reader.proof(index) for index in chosen]
    root, size = reader.checkpoint.root, reader.size
    tree = InmemoryTree(algorithm="sha256")
    leaves = [tree.append_entry(entry) for entry in data]
    theirs = [(tree.get_leaf(leaves[index]), tree.prove_inclusion(leaves[index])) for index in chosen]
    state = tree.get_state()

    def ours_once() -> None:
        for index, proof in zip(chosen, proofs, strict=True):
            assert root_from_inclusion(index, size, leaf_hash(data[index]), proof.hashes) == root

    def theirs_once() -> None:
        for leaf, proof in theirs:
            verify_inclusion(leaf, state, proof)

    rounds = [(_seconds(ours_once), _seconds(theirs_once)) for _ in range(7)]
    ours_rate, their_rate = (len(chosen) / statistics.median(side) for side in zip(*rounds, strict=True))
    peer = f"pymerkle, {their_rate:,.0f}/s (tree of {len(data):,}; ours of {size:,})"
    return _figure(ours_rate, "proofs/s", peer, ours_rate / their_rate, floor=">= 20000", ok=ours_rate >= 20_000)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
