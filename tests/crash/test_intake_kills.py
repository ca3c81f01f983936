"""The portal killed with -9 while it takes in what the gate saw: every event is told once, no more and no less."""

from __future__ import annotations

import random
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

import pytest
from sqlalchemy import func, select

from enclave.gate.spool import Spool
from enclave.model.watch import ExecutedCode
from tests.crash import forks, intake_child
from tests.enclave.scene import build
from tests.enclave.test_watch import open_workspace, told

KILLS = 4
pytestmark = pytest.mark.crash
KINDS = ("code", "display", "route-refused", "code", "locked")


def test_a_killed_portal_tells_every_event_once(database_url: str, tmp_path: Path) -> None:
    scene = build(database_url, tmp_path / "home")
    place, folder = open_workspace(scene), tmp_path / "spool"
    before, spool = scene.position(), Spool(folder)
    put = Counter(dict.fromkeys(KINDS, 0))
    for number in range(60 * KILLS):
        kind = KINDS[number % len(KINDS)]
        spool.put(
            place, kind, {"bytes": 3} if kind == "display" else {}, b"1+1" if kind in {"code", "display"} else b""
        )
        put[kind] += 1
    for _ in range(KILLS):
        _run_and_kill(database_url, tmp_path / "home", folder, batches=random.randrange(8))
    last, said = _child(database_url, tmp_path / "home", folder)
    with said:
        last.join(300)
    assert last.exitcode == 0
    assert Spool(folder).events() == []
    assert told(scene.entries(before)) == put
    with scene.store.read() as session:
        assert session.scalar(select(func.count()).select_from(ExecutedCode)) == put["code"]
    scene.store.close()


def _run_and_kill(url: str, home: Path, folder: Path, *, batches: int) -> None:
    child, said = _child(url, home, folder)
    with said:
        for _ in range(batches):
            said.readline()
        time.sleep(random.uniform(0, 0.03))
        child.kill()
        child.join()


def _child(url: str, home: Path, folder: Path) -> tuple[BaseProcess, TextIO]:
    return forks.telling(intake_child.main, url, str(home), str(folder))
