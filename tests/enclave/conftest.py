"""The seeded enclave, fresh for a test or shared by a module, on each database."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from enclave import cli
from enclave.vault import Vault
from tests import databases
from tests.enclave.scene import Scene
from tests.enclave.scene_copies import Original

BOTH = ["sqlite", "postgresql"]


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def original_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """What scenes on SQLite are copies of."""
    return Original(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="session")
def original_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Path) -> Original:
    """What scenes on PostgreSQL are copies of."""
    return Original(tmp_path_factory.mktemp("original"), postgres_cluster)


@pytest.fixture(params=BOTH)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A scene of this test's own."""
    made = request.getfixturevalue(f"original_{request.param}").copy(tmp_path)
    yield made
    made.store.close()
    databases.drop(made.store.engine.url)


@pytest.fixture(scope="module", params=BOTH)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene for all tests of a module, which leave each other alone by making their own projects."""
    made = request.getfixturevalue(f"original_{request.param}").copy(tmp_path_factory.mktemp("shared"))
    yield made
    made.store.close()
    databases.drop(made.store.engine.url)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the caller's own, for commands run inside this process."""
    for name in ("db", "keys"):
        (tmp_path / name).mkdir()
    Vault.create(tmp_path / "keys/vault.key")
    monkeypatch.setenv("ANSIM_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def here(own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `ansim` in this process; give exit code, output and error output."""

    def run(*words: str, given: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["ansim", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as done:
            code = int(done.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run
