"""A real cluster on this machine: a scheduler and two worker processes, each with keys of its own folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from distributed import Client, LocalCluster

from deid import engine
from deid.crew.address import Cluster
from deid.engine import Progress, RunResult
from deid.many.options import Means
from tests.deid.factory import NOW, Hospital, hospital, table
from tests.deid.many.test_parts import CODED, told, write_visits

WORKERS = 2


@dataclass(frozen=True)
class Crowd:
    """A running cluster, its workers' key folder and their spill folder."""

    local: LocalCluster
    keys: Path
    spill: Path

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.local.scheduler_address)

    def run(self, clinic: Hospital, text: str, *, project: str = "", progress: Progress = lambda _: None) -> RunResult:
        """Run a recipe of this hospital by the cluster."""
        own = clinic.keys.for_project(project) if project else clinic.keys
        means = Means(cluster=self.cluster)
        return engine.run(clinic.recipe(text), clinic.source, clinic.out, own, now=NOW, means=means, progress=progress)


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    root = tmp_path_factory.mktemp("crowd")
    keys, spill = root / "keys", root / "spill"
    shutil.copytree(hospital(root / "first").root / "keys", keys)
    (keys / "sign.pem").unlink()
    options = {"preload": ["deid.crew.worker"], "preload_argv": ["--keys", str(keys)]}
    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=str(spill),
        memory_limit=0, **options,
    ) as local:  # fmt: skip
        yield Crowd(local, keys, spill)


@dataclass(frozen=True)
class Expected:
    """What one process makes of `CODED` and `write_visits`: the rows, and what is signed."""

    rows: pl.DataFrame
    signed: dict[str, object]


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory, crowd: Crowd) -> Expected:
    clinic = hospital(tmp_path_factory.mktemp("alone") / "clinic")
    shutil.copy2(crowd.keys / "master.key", clinic.root / "keys/master.key")
    write_visits(clinic)
    result = clinic.run(CODED)
    return Expected(table(result, "visits"), told(result))


@pytest.fixture
def clinic(clinic: Hospital, crowd: Crowd) -> Hospital:
    """A hospital whose master the workers hold too."""
    shutil.copy2(crowd.keys / "master.key", clinic.root / "keys/master.key")
    return clinic


@pytest.fixture
def client(crowd: Crowd) -> Iterator[Client]:
    with Client(crowd.local.scheduler_address, set_as_default=False) as client:
        yield client
