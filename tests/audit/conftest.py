"""Fixtures of this room: an engine with the log's tables on either database, a sequencer, a published log."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from audit import outbox, tables
from audit.bundle import Source
from audit.event import Event
from audit.sequencer import Sequencer
from tests.audit.logs import SIGNER, anchored, entries, make, publish
from tests.audit.tsa import LocalTsa


@pytest.fixture(scope="session")
def lite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the log's tables, to be copied: making them waits for the disk after each statement."""
    file = tmp_path_factory.mktemp("tables") / "log.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    tables.metadata.create_all(engine)
    engine.dispose()
    return file


@pytest.fixture
def engine(database_url: str, lite_tables: Path) -> Iterator[Engine]:
    engine = create_engine(database_url)
    if engine.url.database and engine.dialect.name == "sqlite":
        shutil.copy(lite_tables, engine.url.database)
    else:
        tables.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def log_folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def sequencer(engine: Engine, log_folder: Path) -> Iterator[Sequencer]:
    with closing(Sequencer(engine, log_folder, SIGNER, SIGNER.name)) as sequencer:
        yield sequencer


@pytest.fixture
def add(engine: Engine) -> Callable[..., list[str]]:
    """Append `count` entries, one transaction for all; return their ids."""

    def add(count: int = 1, **fields: object) -> list[str]:
        values = {"action": "thing.add", "outcome": "done", "actor_id": "u-1"} | fields
        with engine.begin() as connection:
            return [outbox.append(connection, Event(**values), observer="test") for _ in range(count)]

    return add


@pytest.fixture(scope="session")
def log_of_600(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published log of 600 entries in three steps, the first two leaving older partial tiles. Do not write."""
    folder = tmp_path_factory.mktemp("log-of-600")
    data = entries(600)
    edge = publish(folder, data[:530])
    edge = publish(folder, data[:590], edge=edge)
    publish(folder, data, edge=edge)
    return folder


@pytest.fixture
def log(log_of_600: Path, tmp_path: Path) -> Path:
    """A copy of the log of 600 entries that the test may damage."""
    return Path(shutil.copytree(log_of_600, tmp_path / "copy"))


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    """A time-stamping authority with plain tokens."""
    return LocalTsa(tmp_path_factory.mktemp("tsa") / "plain")


@pytest.fixture(scope="session")
def source(log_of_600: Path, tsa: LocalTsa, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The log of 600 entries with a witness's two cosignatures and a time stamp over its newest checkpoint."""
    return anchored(log_of_600, tmp_path_factory.mktemp("anchored"), tsa)


@pytest.fixture(scope="session")
def sound(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a proof per entry. Do not write."""
    return make(source, tmp_path_factory.mktemp("bundles") / "with-proofs")


@pytest.fixture(scope="session")
def sound_with_tiles(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with hash tiles. Do not write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.bundle._PROOFS_UP_TO", 5)
        return make(source, tmp_path_factory.mktemp("bundles") / "with-tiles")
