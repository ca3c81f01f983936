"""A database server that hangs under the sequencer: it is left, told of, and caught up with; nothing is doubled."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from audit import keys, serve
from audit.canonical import decode
from audit.outage import Outage
from audit.patience import Silent
from audit.reader import LogReader
from audit.verify import verify_log
from tests.hung import Relay, before, hung, to


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """PostgreSQL alone: SQLite has no server."""
    return postgres_url


@pytest.fixture
def running(database_url: str, log_folder: Path, tmp_path: Path, engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """The sequencer as a process with little patience; its log is in `sequencer.log`."""
    keys.create(tmp_path / "log.key", name="ansim.test/log")
    command = [sys.executable, "-m", "audit.serve", database_url, log_folder, tmp_path / "log.key"]
    command += ["--interval", "0.05", "--database-wait", "1", "--database-answer", "2", "--alarm", "1"]
    with (tmp_path / "sequencer.log").open("wb") as log:
        process = subprocess.Popen([str(each) for each in command], stderr=log, text=True)
    yield process
    process.kill()
    process.wait()


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("did not happen within a minute")


def is_published(folder: Path, size: int) -> bool:
    return (folder / "checkpoint").exists() and LogReader(folder).size >= size


def test_a_server_that_hangs_is_an_alarm_and_all_is_published_once_when_it_goes_on(
    running: subprocess.Popen[str],
    add: Callable[..., list[str]],
    log_folder: Path,
    tmp_path: Path,
    postgres_cluster: Path,
) -> None:
    said = tmp_path / "sequencer.log"
    ids = add(3)
    wait_for(lambda: is_published(log_folder, 3))
    ids += add(40)
    with hung(postgres_cluster):
        wait_for(lambda: "ALARM: nothing is published" in said.read_text())
        assert running.poll() is None
    ids += add(3)
    wait_for(lambda: is_published(log_folder, 46))
    wait_for(lambda: "published again" in said.read_text())
    assert verify_log(log_folder, keys.load(tmp_path / "log.key").vkey).ok
    assert [decode(data)["id"] for _, data in LogReader(log_folder).entries()] == ids


@pytest.fixture
def relay(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Relay, str]]:
    """A relay before PostgreSQL, and the address that goes through it."""
    url = make_url(postgres_url)
    socket_name = ".s.PGSQL.5432"
    (tmp_path / "s").mkdir()
    with before(to(Path(str(url.query["host"])) / socket_name), tmp_path / "s" / socket_name) as (made, _):
        yield made, url.set(query={"host": str(tmp_path / "s")}).render_as_string(hide_password=False)


def test_a_server_that_answers_a_byte_at_a_time_is_left_too(relay: tuple[Relay, str]) -> None:
    made, url = relay
    engine = serve.open_engine(url, wait_s=0.3, answer_s=0.3)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        made.drips = True
        with pytest.raises(DBAPIError) as left:
            connection.execute(text("SELECT repeat('x', 10000)"))
    assert isinstance(left.value.orig, Silent)
    made.drips = False
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_a_trouble_is_told_at_once_then_every_minute_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    outage = Outage(60, lambda: now[0])
    caplog.set_level("WARNING", "audit.outage")
    outage.over()
    for second in range(200):
        now[0] = float(second)
        outage.note("the disk")
    outage.over()
    outage.over()
    assert [each.getMessage() for each in caplog.records] == [
        "the disk; it is tried again",
        "ALARM: nothing is published for 60 s: the disk",
        "ALARM: nothing is published for 120 s: the disk",
        "ALARM: nothing is published for 180 s: the disk",
        "published again after 199 s",
    ]
