"""The seeded enclave, fresh for a test or shared by a module, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.enclave.scene import Scene
from tests.enclave.scene_copies import Original

BOTH = ["sqlite", "postgresql"]


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


@pytest.fixture(scope="module", params=BOTH)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene for all tests of a module, which leave each other alone by making their own projects."""
    made = request.getfixturevalue(f"original_{request.param}").copy(tmp_path_factory.mktemp("shared"))
    yield made
    made.store.close()
