"""Drills at PostgreSQL: a server that takes no writes, is full, refuses or hangs: told in words, and over with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, make_url, text

from audit import tables
from audit.event import Event
from audit.silence import Silence
from enclave.commands.log_watch import canary
from enclave.errors import Unavailable
from enclave.policy.log_health import Canary
from enclave.store import Store
from tests.enclave.scene import NOW
from tests.hung import hung


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    engine = create_engine(postgres_url)
    tables.metadata.create_all(engine)
    engine.dispose()
    made = Store(postgres_url, wait_s=2)
    write(made)
    yield made
    made.close()


def write(store: Store) -> str:
    return canary(store, before=Canary(), now=NOW)


def count(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT count(*) FROM audit_entry"))
    engine.dispose()
    return int(found or 0)


def as_owner(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def name_of(url: str) -> str:
    return str(make_url(url).database)


END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"


@contextmanager
def read_only(url: str) -> Iterator[None]:
    name = name_of(url)
    as_owner(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on", END.format(name=name))
    yield
    as_owner(url, f"ALTER DATABASE {name} RESET default_transaction_read_only", END.format(name=name))


@contextmanager
def refusing(url: str) -> Iterator[None]:
    name = name_of(url)
    as_owner(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", END.format(name=name))
    yield
    as_owner(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


DRILLS = {"read-only": read_only, "refusing connections": refusing}


@pytest.mark.parametrize("drill", DRILLS)
def test_a_server_that_does_not_take_it_is_told_in_words_and_works_again_afterwards(
    store: Store, postgres_url: str, drill: str
) -> None:
    before = count(postgres_url)
    with DRILLS[drill](postgres_url):
        said = answer(store)
        assert isinstance(said, Unavailable)
        assert said.code.startswith("store.")
    until = time.monotonic() + 30
    while isinstance(answer(store), Exception):
        assert time.monotonic() < until, "it does not work again"
    assert count(postgres_url) == before + 1


def answer(store: Store) -> Exception | str:
    try:
        return write(store)
    except Unavailable as error:
        return error


@pytest.mark.skipif(os.geteuid() != 0, reason="file systems are mounted by root")
def test_a_full_disk_of_the_server_is_told_and_nothing_is_half_done(store: Store, postgres_url: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ansim-full-", dir="/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", folder], check=True)
    place, name = folder / "space", f"small_{name_of(postgres_url)}"
    place.mkdir()
    shutil.chown(place, "postgres")
    as_owner(postgres_url, f"CREATE TABLESPACE {name} LOCATION '{place}'")
    try:
        inside(postgres_url, f"ALTER TABLE audit_entry SET TABLESPACE {name}")
        fill(place / "filler")
        answers = [answer(store)]
        while isinstance(answers[-1], str) and len(answers) < 500:
            answers.append(answer(store))
        assert getattr(answers[-1], "code", "") == "store.full"
        written = count(postgres_url)
        (place / "filler").unlink()
        assert isinstance(answer(store), str)
        assert count(postgres_url) == written + 1
    finally:
        store.close()
        (place / "filler").unlink(missing_ok=True)
        inside(postgres_url, "ALTER TABLE audit_entry SET TABLESPACE pg_default")
        as_owner(postgres_url, f"DROP TABLESPACE {name}")
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def inside(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


# A hung server keeps its sockets and the kernel acknowledges for it: only whoever waits can end the wait. Each of these
# drills stands for ever without its limit; none measures a time.

EVENT = Event("log.canary", "done", "system", object_kind="log", object_id="zone")


@pytest.fixture
def quick(store: Store, postgres_url: str) -> Iterator[Store]:
    """The same database with little patience, and a connection that is open already."""
    made = Store(postgres_url, wait_s=1, answer_s=1)
    write(made)
    yield made
    made.close()


class Counted(Silence):
    """Counts how often somebody waited in vain."""

    waits = 0

    def began(self) -> None:
        self.waits += 1
        super().began()


def recovered(store: Store) -> str:
    until = time.monotonic() + 30
    while isinstance(said := answer(store), Exception):
        assert time.monotonic() < until, "it does not work again"
        time.sleep(0.1)
    return said


def test_a_server_that_hangs_is_not_waited_for_by_everybody_and_works_again_afterwards(
    quick: Store, postgres_cluster: Path, postgres_url: str
) -> None:
    before = count(postgres_url)
    quick._silence = counted = Counted(1)
    with hung(postgres_cluster):
        assert [getattr(answer(quick), "code", "") for _ in range(30)] == ["store.gone"] * 30
    # Most were refused without having waited.
    assert 0 < counted.waits < 15
    recovered(quick)
    assert count(postgres_url) == before + 1


def test_a_server_that_hangs_in_the_middle_has_done_nothing(
    quick: Store, postgres_cluster: Path, postgres_url: str
) -> None:
    before = count(postgres_url)
    with pytest.raises(Unavailable, match="연결할 수 없습니다"), quick.write(EVENT) as tx, hung(postgres_cluster):
        tx.session.execute(text("SELECT 1"))
    recovered(quick)
    assert count(postgres_url) == before + 1


def test_a_server_that_hangs_in_the_commit_leaves_it_open_whether_it_was_done(
    quick: Store, postgres_cluster: Path, postgres_url: str
) -> None:
    before = count(postgres_url)
    with contextlib.ExitStack() as stack:

        @event.listens_for(quick.engine, "commit")
        def _hang(_connection: object) -> None:
            stack.enter_context(hung(postgres_cluster))

        said = answer(quick)
        event.remove(quick.engine, "commit", _hang)
    assert getattr(said, "code", "") == "store.unknown"
    recovered(quick)
    # It had heard the commit and did it when it went on: "nothing was changed" would have been untrue.
    assert count(postgres_url) == before + 2


def test_a_statement_that_takes_too_long_is_ended_by_a_server_that_is_alive(quick: Store) -> None:
    with pytest.raises(Unavailable) as refused, quick.read() as session:
        session.execute(text("SELECT pg_sleep(60)"))
    assert refused.value.code == "store.slow"
    assert isinstance(answer(quick), str)


def test_a_pool_whose_connections_are_all_in_use_is_not_waited_for_for_ever(quick: Store) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(15):
            held.enter_context(quick.read()).execute(text("SELECT 1"))
        assert getattr(answer(quick), "code", "") == "store.busy"
    assert isinstance(answer(quick), str)
