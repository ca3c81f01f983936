"""Three writers and a sequencer at work on one log, to be killed; and what must hold when all is over."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from audit import keys, serve, tables
from audit.canonical import decode
from audit.merkle import consistent
from audit.note import Checkpoint, open_checkpoint
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.verify import verify_log
from tests.crash import audit_writer, forks

WRITERS = 3
NAME = "ansim.test/log"


class Crew:
    """The processes; each can be killed and is then started again. `folder` keeps the key and what was acknowledged."""

    def __init__(self, url: str, folder: Path, log: Path) -> None:
        self.url, self.log, self.key = url, log, folder / "key"
        self.vkey = keys.create(self.key, name=NAME).vkey
        self.checkpoints: set[Checkpoint] = set()
        self._marks = [folder / f"acknowledged-{number}" for number in range(WRITERS)] + [log / "checkpoint"]
        served = [url, str(log), str(self.key), "--interval", "0.01"]
        self._work = [(audit_writer.main, (url, str(mark))) for mark in self._marks[:-1]] + [(serve.main, (served,))]
        self._processes: list[BaseProcess] = []

    def start(self) -> None:
        """Have all of them begin."""
        self._processes = [self._start(number) for number in range(WRITERS + 1)]

    def _start(self, number: int) -> BaseProcess:
        work, arguments = self._work[number]
        return forks.start(work, *arguments)

    def kill_one(self, chance: random.Random) -> None:
        """Kill one that has got something done, a moment later, and start it again."""
        number = chance.randrange(WRITERS + 1)
        self.wait_for_progress(number)
        self.let_work(chance.uniform(0, 0.3))
        self._processes[number].kill()
        self._processes[number].join()
        self._processes[number] = self._start(number)

    def let_work(self, seconds: float) -> None:
        """Watch the checkpoints go by."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()
            time.sleep(0.02)

    def wait_for_progress(self, number: int) -> None:
        """Wait until writer `number` (the sequencer is the last) has got something done."""
        before, mark = self._content(number), self._marks[number].name
        for _ in range(3000):
            self.look()
            if self._content(number) != before:
                return
            assert self._processes[number].is_alive(), f"{mark}: the process ended by itself"
            time.sleep(0.02)
        pytest.fail(f"no progress on {mark} within 60 s")

    def _content(self, number: int) -> bytes:
        return self._marks[number].read_bytes() if self._marks[number].exists() else b""

    def look(self) -> None:
        """Take down the checkpoint that is published now."""
        if note := self._content(WRITERS):
            self.checkpoints.add(open_checkpoint(note, self.vkey))

    def hold(self) -> None:
        """Let nobody get any further: what was acknowledged until now was acknowledged."""
        for process in self._processes:
            os.kill(process.pid or 0, signal.SIGSTOP)

    def stop(self) -> None:
        """Kill all of them."""
        for process in self._processes:
            process.kill()
            process.join()

    def acknowledged(self) -> list[str]:
        """Return the ids whose commit was told to somebody."""
        # A kill may cut the last line of a file short; then its commit was not acknowledged.
        lines = [line for mark in self._marks[:-1] for line in mark.read_text().splitlines(keepends=True)]
        return [line.rstrip("\n") for line in lines if line.endswith("\n")]

    def prepare(self) -> None:
        """Make the tables of the log and the one table of the domain."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE thing (entry_id TEXT PRIMARY KEY)")
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        tables.metadata.create_all(engine)
        engine.dispose()

    def check(self) -> str:
        """Have what is left published and hold everything together; return the figures in words."""
        engine = serve.open_engine(self.url)
        with closing(Sequencer(engine, self.log, keys.load(self.key), NAME)) as sequencer:
            sequencer.step()
        self.look()
        acknowledged, log = self.acknowledged(), LogReader(self.log, self.vkey)
        published = _published(engine, log)
        engine.dispose()
        assert len(acknowledged) == len(set(acknowledged)) > 0
        assert set(acknowledged) <= set(published), "acknowledged entries were lost"
        assert verify_log(self.log, self.vkey).ok
        for old in self.checkpoints:
            proof = log.consistency(old.size)
            assert consistent((old.size, log.size), (old.root, log.checkpoint.root), proof), "history was rewritten"
        return f"{len(acknowledged)} acknowledged, {log.size} published, {len(self.checkpoints)} checkpoints"


def _published(engine: Engine, log: LogReader) -> list[str]:
    """Return the ids in the log; fails unless log, database, index and domain all have the same, each once."""
    with engine.connect() as connection:
        things = set(connection.scalars(text("SELECT entry_id FROM thing")))
        stored = set(connection.scalars(text("SELECT id FROM audit_entry")))
        indexed = list(connection.scalars(text("SELECT entry_id FROM audit_index ORDER BY leaf_index")))
    published = [str(decode(data)["id"]) for _, data in log.entries()]
    assert len(published) == len(set(published)), "entries were doubled"
    assert set(published) == stored == things, "a change without its entry, or an entry without its change"
    assert published == indexed
    return published
