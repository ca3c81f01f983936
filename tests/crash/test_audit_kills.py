"""Writers and sequencer killed with -9 at random: nothing acknowledged is lost or doubled, no history is rewritten.

ANSIM_KILLS sets how many kills per database (10 by default).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit import keys, tables
from audit.canonical import decode
from audit.merkle import consistent
from audit.note import open_checkpoint
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.verify import verify_log

KILLS = int(os.environ.get("ANSIM_KILLS", "10"))
WRITERS = 3
NAME = "ansim.test/log"
pytestmark = [pytest.mark.crash, pytest.mark.slow]


class Crew:
    """Three writers and a sequencer; each can be killed and is then started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.log, self.vkey, self.checkpoints = folder / "log", keys.create(folder / "key", name=NAME).vkey, set()
        self._marks = [folder / f"acknowledged-{number}" for number in range(WRITERS)] + [self.log / "checkpoint"]
        writer = [sys.executable, "-m", "tests.crash.audit_writer", url]
        serve = [sys.executable, "-m", "audit.serve", url, self.log, folder / "key", "--interval", "0.01"]
        self._commands = [[*writer, mark] for mark in self._marks[:-1]] + [serve]
        self._processes = [self._start(number) for number in range(WRITERS + 1)]

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._commands[number])

    def kill_one(self, chance: random.Random) -> None:
        number = chance.randrange(WRITERS + 1)
        self._wait_for_progress(number)
        pause = chance.uniform(0, 0.3)
        while pause > 0:
            self.look()
            time.sleep(0.02)
            pause -= 0.02
        self._processes[number].kill()
        self._processes[number].wait()
        self._processes[number] = self._start(number)

    def _wait_for_progress(self, number: int) -> None:
        before, mark = self._content(number), self._marks[number].name
        for _ in range(3000):
            self.look()
            if self._content(number) != before:
                return
            assert self._processes[number].poll() is None, f"{mark}: the process ended by itself"
            time.sleep(0.02)
        pytest.fail(f"no progress on {mark} within 60 s")

    def _content(self, number: int) -> bytes:
        return self._marks[number].read_bytes() if self._marks[number].exists() else b""

    def look(self) -> None:
        if note := self._content(WRITERS):
            self.checkpoints.add(open_checkpoint(note, self.vkey))

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def acknowledged(self) -> list[str]:
        # A kill may cut the last line of a file short; then its commit was not acknowledged.
        lines = [line for mark in self._marks[:-1] for line in mark.read_text().splitlines(keepends=True)]
        return [line.rstrip("\n") for line in lines if line.endswith("\n")]


def test_nothing_acknowledged_is_lost_and_no_history_is_rewritten(database_url, tmp_path) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (entry_id TEXT PRIMARY KEY)")
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    tables.metadata.create_all(engine)
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    crew = Crew(database_url, tmp_path)
    try:
        for _ in range(KILLS):
            crew.kill_one(chance)
    finally:
        crew.stop()
    with closing(Sequencer(engine, crew.log, keys.load(tmp_path / "key"), NAME)) as sequencer:
        sequencer.step()
    crew.look()
    with engine.connect() as connection:
        things = set(connection.scalars(text("SELECT entry_id FROM thing")))
        stored = set(connection.scalars(text("SELECT id FROM audit_entry")))
        indexed = list(connection.scalars(text("SELECT entry_id FROM audit_index ORDER BY leaf_index")))
    engine.dispose()
    log = LogReader(crew.log, crew.vkey)
    published = [decode(data)["id"] for _, data in log.entries()]
    acknowledged = crew.acknowledged()
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {log.size} published, {len(crew.checkpoints)} checkpoints")
    assert len(acknowledged) == len(set(acknowledged)) > 0
    assert set(acknowledged) <= set(published), "acknowledged entries were lost"
    assert len(published) == len(set(published)), "entries were doubled"
    assert set(published) == stored == things, "a change without its entry, or an entry without its change"
    assert published == indexed
    assert verify_log(crew.log, crew.vkey).ok
    for old in crew.checkpoints:
        proof = log.consistency(old.size)
        assert consistent((old.size, log.size), (old.root, log.checkpoint.root), proof), "history was rewritten"
