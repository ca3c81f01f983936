"""Drills at PostgreSQL: a server that takes no writes, is full or refuses: told in words, and over when it is over."""

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
from sqlalchemy import create_engine, make_url, text

from audit import tables
from enclave.commands.log_watch import canary
from enclave.errors import Unavailable
from enclave.policy.log_health import Canary
from enclave.store import Store
from tests.enclave.scene import NOW


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
