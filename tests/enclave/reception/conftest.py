"""A home with a database, made once, and a receiver with a book of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.migrations.run import upgrade
from enclave.policy.reception import Senders
from enclave.reception.book import kept_book
from enclave.reception.sealed import SealedStore
from enclave.settings import Settings
from tests.enclave.reception.archive import Hall


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("receptions")
    (folder / "db").mkdir()
    upgrade(Settings.load(folder).url)
    return folder


@pytest.fixture
def home(new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing has happened."""
    folder = tmp_path / "home"
    shutil.copytree(new_home, folder)
    monkeypatch.setenv("ANSIM_HOME", str(folder))
    return folder


@pytest.fixture
def hall(home: Path, tmp_path: Path) -> Iterator[Hall]:
    store = SealedStore(tmp_path / "hospital")
    store.prepare()
    with kept_book(store.folder, store.open, Senders({"PACS": ""})) as book:
        made = Hall(home, store, book)
        with made.another() as made.port:
            yield made
