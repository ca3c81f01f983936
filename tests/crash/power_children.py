"""What is at work when the power is cut, each in a process of its own that tells what it did and waits to be killed."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from audit import durable, keys, outbox
from audit.event import Event
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.serve import open_engine
from enclave.gate.spool import Spool
from enclave.store import open_engine as open_store
from enclave.store import writable

EVENT = Event("thing.add", "done", "u-1")


class Counted:
    """`os.fsync`, one call of which is left out."""

    def __init__(self, left_out: int) -> None:
        self.calls, self._left_out, self._sync = 0, left_out, os.fsync

    def __call__(self, descriptor: int) -> None:
        self.calls += 1
        if self.calls != self._left_out:
            self._sync(descriptor)


def publish(line: Connection, url: str, log: Path, key: Path, steps: int, left_out: int, die: bool) -> None:
    """Append and publish `steps` entries one by one; tell the size that is published and how many syncs there were.

    The sync with the number `left_out` (from 1) is not done. With `die` the last step ends when the tiles are in place
    and their folders are not synced.
    """
    os.fsync = counted = Counted(left_out)  # type: ignore[assignment]

    def tell_and_wait(*_: object) -> None:
        line.send((LogReader(log).size, counted.calls))
        signal.pause()

    engine = open_engine(url)
    sequencer = Sequencer(engine, log, signer := keys.load(key), signer.name)
    sequencer.step()
    for number in range(steps):
        if die and number == steps - 1:
            durable._sync_folder = tell_and_wait
        with engine.begin() as connection:
            outbox.append(connection, EVENT, observer="test")
        sequencer.step()
    tell_and_wait()


def keep(line: Connection, folder: Path) -> None:
    """Keep an act of an emergency as a portal does that has just been installed; tell its id."""
    spool = Spool(folder)
    spool.reserve()
    line.send(spool.put("", "stop", {"on": "w-1"}, b"reason"))
    signal.pause()


def commit(line: Connection, url: str, synchronous: str) -> None:
    """Commit one entry as the portal does, but for SQLite's `synchronous`; tell its id."""
    engine = open_store(url)
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        if synchronous != "FULL":
            driver.execute(f"PRAGMA synchronous = {synchronous}")  # type: ignore[attr-defined]
    with writable(engine).begin() as connection:
        entry_id = outbox.append(connection, EVENT, observer="test")
    line.send(entry_id)
    signal.pause()
