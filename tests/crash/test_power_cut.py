"""The power is cut under the log: what was acknowledged is there, what was published stays published.

On a real file system over a disk that loses its cache (`lossy_disk`). Each sync of a publication is left out once,
and the loss is then seen: none of them is there for nothing, and these tests would see one go missing. The kernels
these tests run on have no device mapper; dm-flakey would do to the disk what `lossy_disk` does.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from audit import keys, tables
from audit.errors import AuditError
from audit.reader import LogReader
from audit.verify import verify_log
from enclave.gate.spool import Spool
from tests.conftest import _as_postgres, _postgres_bin
from tests.crash import forks, power_children
from tests.crash.crew import NAME, WRITERS, Crew
from tests.crash.power import Power

CUTS = int(os.environ.get("ANSIM_CUTS", "1"))
# What one publication of a log that has its folders syncs: two tiles, their two folders, checkpoint, its folder.
SYNCS = 6
pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture
def power(request: pytest.FixtureRequest) -> Iterator[Power]:
    folder = Path(tempfile.mkdtemp(prefix="ansim-cut-"))
    folder.chmod(0o755)  # for the user of the database server
    made = Power(folder, **getattr(request, "param", {}))
    yield made
    made.close()
    shutil.rmtree(folder)


def cut_under(crew: Crew, power: Power, chance: random.Random) -> None:
    """Let the crew work on this disk and cut the power in the middle of it."""
    crew.start()
    try:
        for number in range(WRITERS + 1):
            crew.wait_for_progress(number)
        crew.let_work(chance.uniform(0, 0.5))
        crew.look()
        crew.hold()
        power.cut()
    finally:
        crew.stop()


def seen(crew: Crew) -> int:
    return max(each.size for each in crew.checkpoints)


def test_a_cut_loses_nothing_that_was_acknowledged_on_sqlite(power: Power, tmp_path: Path) -> None:
    chance = random.Random(seed := random.randrange(2**32))
    crew = Crew(f"sqlite:///{power.mounted}/db.sqlite", tmp_path, power.mounted / "log")
    crew.prepare()
    subprocess.run(["sync", "--file-system", power.mounted], check=True)
    for _ in range(CUTS):
        cut_under(crew, power, chance)
        power.back()
        assert LogReader(crew.log, crew.vkey).size >= seen(crew), "a checkpoint that was published is gone"
        print(f"seed {seed}: {crew.check()}")


class Cluster:
    """A PostgreSQL server with its data on the disk whose power is cut, and with its syncs."""

    def __init__(self, power: Power) -> None:
        folder, self._socket = power.mounted, power.mounted.with_name("socket")
        self._data = folder / "data"
        self._socket.mkdir()
        for each in (folder, self._socket):
            each.chmod(0o777)
        # Its log does not matter; initdb's own syncs are one sync(1) at the end.
        more = ("-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync", "--wal-segsize=1")
        _as_postgres(_postgres_bin() / "initdb", "-D", self._data, *more)
        subprocess.run(["sync", "--file-system", folder], check=True)
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self._socket}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self._socket} -c min_wal_size=2MB"
        log = self._socket / "log"
        # Its number may be another process's by now; after a real cut the server finds that out by itself.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        _as_postgres(_postgres_bin() / "pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        _as_postgres(_postgres_bin() / "pg_ctl", "-D", self._data, "-m", "immediate", "stop")


@pytest.mark.parametrize("power", [{"size": 192 << 20}], indirect=True, ids=[""])
def test_a_cut_loses_nothing_that_was_acknowledged_on_postgresql(power: Power, tmp_path: Path) -> None:
    chance = random.Random(seed := random.randrange(2**32))
    cluster = Cluster(power)
    crew = Crew(cluster.url, tmp_path, power.mounted / "log")
    cluster.start()
    try:
        crew.prepare()
        for _ in range(CUTS):
            cut_under(crew, power, chance)
            cluster.stop()
            power.back()
            assert LogReader(crew.log, crew.vkey).size >= seen(crew), "a checkpoint that was published is gone"
            cluster.start()
            print(f"seed {seed}: {crew.check()}")
    finally:
        cluster.stop()


def published(
    tmp_path: Path, power: Power, steps: int, *, left_out: int = 0, die: bool = False, cut: bool = False
) -> tuple[int, int]:
    """Have a child publish `steps` entries one by one, and end it; returns size and syncs as it told them."""
    url, key = f"sqlite:///{tmp_path}/db.sqlite", tmp_path / "key"
    if not key.exists():
        keys.create(key, name=NAME)
        engine = create_engine(url)
        tables.metadata.create_all(engine)
        engine.dispose()
    size, syncs = _told(
        power_children.publish, url, power.mounted / "log", key, steps, left_out, die, cut=cut and power
    )
    return size, syncs


def _told(work: Callable[..., None], *arguments: object, cut: Power | bool) -> Any:
    """Return what a child tells; then the power is cut, if it is to be, and the child killed."""
    mine, its = forks.line()
    child = forks.start(work, its, *arguments)
    its.close()
    told = mine.recv()
    if isinstance(cut, Power):
        cut.cut(1.0)
    child.kill()
    child.join()
    mine.close()
    return told


def whole(tmp_path: Path, power: Power, size: int) -> bool:
    """Say whether the log has that many entries and verifies."""
    vkey = keys.load(tmp_path / "key").vkey
    try:
        return verify_log(power.mounted / "log", vkey).ok and LogReader(power.mounted / "log", vkey).size == size
    except AuditError:
        return False


@pytest.mark.parametrize("power", [{"kind": "ext4"}, {"kind": "no journal"}], indirect=True, ids=["ext4", "no journal"])
def test_what_was_published_is_there_after_a_cut(power: Power, tmp_path: Path) -> None:
    size, _ = published(tmp_path, power, 2, cut=True)
    power.back()
    assert whole(tmp_path, power, size)


@pytest.mark.parametrize("power", [{"kind": "no journal"}], indirect=True, ids=[""])
@pytest.mark.parametrize("from_the_end", range(SYNCS))
def test_every_sync_is_needed(power: Power, tmp_path: Path, from_the_end: int) -> None:
    # As many syncs as the first step needs, with the folders it makes, and then the six of the second.
    size, syncs = published(tmp_path, power, 2, left_out=18 - from_the_end, cut=True)
    power.back()
    assert syncs == 18
    assert not whole(tmp_path, power, size)


@pytest.mark.parametrize("power", [{"kind": "no journal"}], indirect=True, ids=[""])
def test_what_a_killed_sequencer_left_unsynced_is_synced_by_the_next(power: Power, tmp_path: Path) -> None:
    # Killed when the tiles are in place and no folder is synced: the next one finds them there.
    published(tmp_path, power, 2, die=True)
    size, _ = published(tmp_path, power, 0, cut=True)
    power.back()
    assert size == 2
    assert whole(tmp_path, power, size)


@pytest.mark.parametrize("power", [{"kind": "ext4"}, {"kind": "no journal"}], indirect=True, ids=["ext4", "no journal"])
def test_an_act_that_waits_to_be_recorded_is_there_after_a_cut(power: Power) -> None:
    folder = power.mounted / "emergency"
    event_id = _told(power_children.keep, folder, cut=power)
    power.back()
    assert [(each.id, each.kind) for each in Spool(folder).events()] == [(event_id, "stop")]


@pytest.mark.parametrize(("pragma", "kept"), [("FULL", True), ("NORMAL", False)])
def test_sqlite_keeps_a_commit_only_with_the_sync_that_we_ask_for(
    power: Power, tmp_path: Path, pragma: str, kept: bool
) -> None:
    url = f"sqlite:///{power.mounted}/db.sqlite"
    crew = Crew(url, tmp_path, power.mounted / "log")
    crew.prepare()
    subprocess.run(["sync", "--file-system", power.mounted], check=True)
    entry_id = _told(power_children.commit, url, pragma, cut=power)
    power.back()
    with closing(sqlite3.connect(power.mounted / "db.sqlite")) as connection:
        found = connection.execute("SELECT 1 FROM audit_entry WHERE id = ?", (entry_id,)).fetchone()
    assert bool(found) is kept
