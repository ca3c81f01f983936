"""One gate for the room's tests, and one running workspace that tests do not harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.enclave.gate.world import Workspace, World, make_world


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


@pytest.fixture(scope="session")
def workspace(world: World) -> Workspace:
    return world.run()
