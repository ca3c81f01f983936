"""The one writer of the log: numbers committed entries, writes their tiles, signs and publishes the checkpoint.

Every step can be killed at any point and done again: what is written is a function of the order in the database,
files never change once under their name, and the new tree is grown from the tiles whose root the last published
checkpoint signs, so that checkpoint is always a prefix. `flock` on the log folder and an advisory lock in
PostgreSQL keep a second sequencer out.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from audit import durable, index, leaves, protection, purge
from audit.errors import LogBusyError, LogConflictError, Text
from audit.event import Event, Outcome
from audit.folder import read_tile
from audit.merkle import leaf_hash
from audit.note import Checkpoint, Signer, open_checkpoint
from audit.outage import ALARM_S, Outage
from audit.outbox import append
from audit.tiles import CHECKPOINT, ENTRIES, WIDTH, Edge, Tile, level_length, pack, split, tile_of

logger = logging.getLogger(__name__)
HEARTBEAT = "log.heartbeat"
UNPROTECTED = "log.unprotected"
_FULL_SEARCH_S = 600.0
# How many leaves are indexed at a time, and for how long a step goes on while the index is behind: what is committed
# meanwhile waits for its checkpoint.
_INDEXED, _INDEX_S = 1_000, 0.25
_PROTECTION_S = 60.0
# What others get of the database between two steps, however long those take.
_BREATH_S = 0.02


class Sequencer:
    """Orders, publishes and indexes the entries of one database into one log folder.

    `key` signs and its name is the log's `origin`. Raises `LogBusyError` when another process holds the folder.
    """

    def __init__(self, engine: Engine, log_folder: Path, key: Signer, origin: str, *, batch: int = 32_768) -> None:
        if key.name != origin:
            raise LogConflictError("audit.origin", _conflict(f"{key.name} ≠ {origin}"))
        self._engine, self._folder, self._key, self._origin, self._batch = engine, log_folder, key, origin, batch
        log_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._lock = _lock(log_folder)
        self._edge: Edge | None = None
        self._note = b""
        self._full: list[Tile] = []
        self._behind = False
        self._searched_at = -_FULL_SEARCH_S
        self._looked_at = -_PROTECTION_S
        self._missing: tuple[str, ...] = ()

    def close(self) -> None:
        """Let another sequencer have the folder."""
        os.close(self._lock)

    def step(self) -> int:
        """Publish and index what is committed; return how many entries are newly published.

        The first step of an empty log publishes a checkpoint of size 0. Raises `LogConflictError` before signing
        anything when database, folder and last checkpoint contradict each other.
        """
        edge = self._published()
        before = edge.size
        try:
            self._advance(edge)
        except BaseException:  # whatever stopped it, the tree in memory may be ahead of the published one
            self._edge = None
            raise
        return edge.size - before

    def run(
        self,
        stop: threading.Event,
        interval_s: float = 0.25,
        *,
        heartbeat_s: float = 3600.0,
        alarm_s: float = ALARM_S,
    ) -> None:
        """Step every `interval_s` seconds until `stop` is set; append an entry after `heartbeat_s` without one.

        A heartbeat proves that nothing happened, where silence could also mean that something was removed.
        A database that is locked, away or silent and a disk that is full or read-only are tried again: nothing is lost
        meanwhile, whoever watches sees the checkpoint grow old, and after `alarm_s` the machine's log is told every
        minute. Contradictions (`LogConflictError`) end the run.
        """
        outage = Outage(alarm_s)
        last_news = time.monotonic()
        while not stop.is_set():
            started = time.monotonic()
            try:
                if time.monotonic() - last_news >= heartbeat_s:
                    self._beat()
                if self.step():
                    last_news = time.monotonic()
                if time.monotonic() - self._looked_at >= _PROTECTION_S:
                    self.look_after_protection()
                outage.over()
            except DBAPIError as error:
                outage.note(f"the database is not available: {error.orig}")
                stop.wait(1.0)
            except OSError as error:
                outage.note(f"the log folder cannot be written: {error}")
                stop.wait(1.0)
            # A step's own time counts: on a busy machine it is what a commit waits for. While the index is behind there
            # is none to lose.
            stop.wait(_BREATH_S if self._behind else max(_BREATH_S, interval_s - (time.monotonic() - started)))

    def _advance(self, edge: Edge) -> None:
        self._number()
        with self._engine.connect() as connection:
            total = leaves.count(connection)
        if total < edge.size:
            raise LogConflictError("audit.database-behind", _conflict(f"{total} < {edge.size}"))
        if not self._note:
            self._publish(edge)
        while edge.size < total:
            self._grow(edge, min(edge.size + self._batch, total))
            self._publish(edge)
        # A new index of an old log takes minutes; publishing does not wait for it.
        self._fill_index(edge.size)
        if gone := purge.carry_out(self._engine, self._folder, edge.size):
            logger.info("%s bundles of entries were purged", gone)

    def _fill_index(self, size: int) -> None:
        end = time.monotonic() + _INDEX_S
        while (behind := index.catch_up(self._engine, size, most=_INDEXED)) and time.monotonic() < end:
            pass
        self._behind = behind

    def look_after_protection(self) -> None:
        """Record when the database no longer refuses to change the record, and when it does again."""
        self._looked_at = time.monotonic()
        with self._engine.connect() as connection:
            missing = protection.missing(connection)
            connection.rollback()
        if missing != self._missing:
            logger.error("the database does not protect the log: %s", ", ".join(missing) or "it does again")
            self._tell(UNPROTECTED, "failed" if missing else "done", {"missing": ", ".join(missing)[:500]})
            self._missing = missing

    def _beat(self) -> None:
        self._tell(HEARTBEAT, "done", {})

    def _tell(self, action: str, outcome: Outcome, details: Mapping[str, str]) -> None:
        event = Event(action=action, outcome=outcome, actor_id="sequencer", actor_role="system", details=details)
        with self._engine.begin() as connection:
            append(connection, event, observer="sequencer")

    def _number(self) -> None:
        now = time.monotonic()
        everywhere = now - self._searched_at >= _FULL_SEARCH_S
        # Not until nothing is left: under steady writing that moment never comes.
        while leaves.number(self._engine, everywhere=everywhere, limit=self._batch) == self._batch:
            pass
        if everywhere:
            self._searched_at = now

    def _published(self) -> Edge:
        """Return the tree of the last published checkpoint, read again whenever the file is not ours."""
        path = self._folder / CHECKPOINT
        note = path.read_bytes() if path.exists() else b""
        if self._edge is None or note != self._note:
            durable.settle(self._folder)
            self._edge = self._load(note) if note else self._start()
            self._note = note
        return self._edge

    def _load(self, note: bytes) -> Edge:
        checkpoint = open_checkpoint(note, self._key.vkey)
        edge, level = Edge(checkpoint.size), 0
        while length := level_length(level, checkpoint.size):
            tile = tile_of(level, length // WIDTH, checkpoint.size)
            edge.rows.append(split(self._read(tile)) if tile.width else [])
            level += 1
        if edge.root() != checkpoint.root:
            raise LogConflictError("audit.tiles-differ", _conflict("checkpoint ≠ tiles"))
        return edge

    def _read(self, tile: Tile) -> bytes:
        try:
            return read_tile(self._folder, tile)
        except FileNotFoundError as error:
            raise LogConflictError("audit.tile-missing", _conflict(tile.path)) from error

    def _start(self) -> Edge:
        with self._engine.connect() as connection:
            known = index.length(connection)
        if known:
            raise LogConflictError("audit.log-missing", _conflict(f"{known} > 0"))
        return Edge()

    def _grow(self, edge: Edge, end: int) -> None:
        """Write bundles and tiles for the leaves from the edge's size to `end`; nothing is signed yet."""
        first = edge.size // WIDTH * WIDTH
        with self._engine.connect() as connection:
            data = leaves.entries(connection, first, end)
        row = edge.rows[0] if edge.rows else []
        if len(data) != end - first or [leaf_hash(entry) for entry in data[: len(row)]] != row:
            raise LogConflictError("audit.database-differs", _conflict(f"{first}…{end}"))
        files: dict[Tile, bytes] = {}
        for at in range(first, end, WIDTH):
            entries = data[at - first : at - first + WIDTH]
            files[Tile(ENTRIES, at // WIDTH, len(entries))] = pack(entries)
        files |= edge.extend(data[len(row) :])
        try:
            durable.write_new(self._folder, files)
        except FileExistsError as error:
            raise LogConflictError("audit.tiles-differ", _conflict(str(error))) from error
        self._full = [tile for tile in files if tile.width == WIDTH]

    def _publish(self, edge: Edge) -> None:
        checkpoint = Checkpoint(self._origin, edge.size, edge.root())
        note = self._key.sign(str(checkpoint)).encode()
        durable.write_checkpoint(self._folder, note)
        self._note = note
        for tile in self._full:
            durable.remove_partials(self._folder, tile)
        self._full = []


@contextmanager
def holding(log_folder: Path) -> Iterator[None]:
    """Keep every sequencer out of the folder inside the block; raise `LogBusyError` while one holds it."""
    descriptor = _lock(log_folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(log_folder: Path) -> int:
    descriptor = os.open(log_folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LogBusyError(
            "audit.log-busy",
            Text(
                f"다른 시퀀서가 로그 폴더 {log_folder.name}을(를) 쓰고 있습니다.",
                f"Another sequencer holds the log folder {log_folder.name}.",
                "먼저 실행 중인 시퀀서를 멈추세요.",
                "Stop the running sequencer first.",
            ),
        ) from error
    return descriptor


def _conflict(detail: str) -> Text:
    return Text(
        f"데이터베이스와 게시된 로그가 서로 다릅니다({detail}). 아무것도 서명하지 않았습니다.",
        f"Database and published log contradict each other ({detail}). Nothing was signed.",
        "로그 폴더와 데이터베이스를 그대로 보존하고 감사 담당자에게 알리세요.",
        "Keep log folder and database as they are and tell the auditor.",
    )
