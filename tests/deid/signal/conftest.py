from __future__ import annotations

from pathlib import Path

import pytest

from deid.folder.people import People
from deid.keys import WorkerKeys
from tests.deid.signal.running import Runner


@pytest.fixture
def people() -> People:
    return People(WorkerKeys(bytes(range(32))), "signals")


@pytest.fixture
def run(tmp_path: Path, people: People) -> Runner:
    return Runner(tmp_path, people)
