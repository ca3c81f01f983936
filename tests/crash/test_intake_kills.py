"""The portal killed with -9 while it takes in what the gate saw: every event is told once, no more and no less."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from enclave.gate.spool import Spool
from enclave.model.watch import ExecutedCode
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
    _child(database_url, tmp_path / "home", folder).communicate(timeout=300)
    assert Spool(folder).events() == []
    assert told(scene.entries(before)) == put
    with scene.store.read() as session:
        assert session.scalar(select(func.count()).select_from(ExecutedCode)) == put["code"]
    scene.store.close()


def _run_and_kill(url: str, home: Path, folder: Path, *, batches: int) -> None:
    child = _child(url, home, folder)
    assert child.stdout is not None
    for _ in range(batches):
        child.stdout.readline()
    time.sleep(random.uniform(0, 0.03))
    child.kill()
    child.communicate()


def _child(url: str, home: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.crash.intake_child", url, str(home), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)
