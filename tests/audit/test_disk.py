"""The sequencer on a disk that is full or read-only: it waits, loses nothing, and goes on by itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.verify import verify_log
from tests.audit.logs import SIGNER, VKEY

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="file systems are mounted by root")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def turn_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


def mend(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    (disk / "filler").unlink(missing_ok=True)


@pytest.mark.parametrize("breaking", [fill, turn_read_only])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, ids=[""])
def test_it_waits_and_then_publishes_all(engine, add, disk, breaking, monkeypatch) -> None:
    told = threading.Event()
    monkeypatch.setattr("audit.outage.logger.warning", lambda *_: told.set())
    with closing(Sequencer(engine, disk / "log", SIGNER, SIGNER.name)) as sequencer:
        add(3)
        sequencer.step()
        breaking(disk)
        add(300)
        stop = threading.Event()
        thread = threading.Thread(target=sequencer.run, args=(stop, 0.01))
        thread.start()
        try:
            assert told.wait(30)
            # What was published before is whole, whatever lies beside it.
            assert LogReader(disk / "log", VKEY).size == 3
            mend(disk)
            for _ in range(1_000):
                if LogReader(disk / "log", VKEY).size == 303:
                    break
                stop.wait(0.02)
        finally:
            stop.set()
            thread.join()
    assert LogReader(disk / "log", VKEY).size == 303
    assert verify_log(disk / "log", VKEY).ok
