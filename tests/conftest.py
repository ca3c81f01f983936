"""Shared fixtures: one PostgreSQL cluster for the whole run, one database per test that asks for it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import alone, databases, entry_form

# A loaded machine is no defect of the code: no test asserts on time.
settings.register_profile("ansim", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ansim")

# Every entry that any test of this process has written is judged where it is made.
entry_form.watch()
COUNTER = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the machine to itself: after the folders' own hooks, before `-m` chooses."""
    alone.mark(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The engine answers those alone that say they need it."""
    alone.show_engine(item)


def _postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.fail("PostgreSQL is not installed: run `make setup` (it installs Debian's postgresql).")
    return found[-1]


def _as_postgres(*command: str | Path) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, cwd="/")


def _fast() -> str:
    """Where files live in memory, if there is room for a few databases; some machines have next to none."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else "/tmp"


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Path]:
    """A real PostgreSQL server of this run alone, on a unix socket; yields the socket's folder."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-pg-", dir=_fast()))
    folder.chmod(0o777)
    bin_folder, data = _postgres_bin(), folder / "data"
    _as_postgres(bin_folder / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust")
    # Without fsync: it is thrown away, and no test cuts the power.
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off"
    options += " -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=160MB"
    _as_postgres(bin_folder / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield folder
    finally:
        _as_postgres(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: Path) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    url = databases.create(postgres_cluster, f"t{os.getpid()}_{next(COUNTER)}")
    yield url
    databases.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite database file."""
    return f"sqlite:///{tmp_path / 'ansim.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
