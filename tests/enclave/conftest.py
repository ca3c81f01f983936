"""The seeded enclave, fresh for a test or shared by a module, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.ids import new_id
from tests.enclave.scene import Scene, build, create_database


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A scene of this test's own."""
    made = build(database_url, tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene for all tests of a module, which leave each other alone by making their own projects."""
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'shared.sqlite'}"
    else:
        url = create_database(request.getfixturevalue("postgres_cluster"), new_id("t").replace("-", "_"))
    made = build(url, folder / "home")
    yield made
    made.store.close()
