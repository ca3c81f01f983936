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
def shared_workspace(world: World) -> Workspace:
    return world.run()


@pytest.fixture
def workspace(shared_workspace: Workspace) -> Workspace:
    """The shared workspace with a hand just seen: in a long run of all tests its screen would lock in between."""
    shared_workspace.world.gate.unlock(shared_workspace.plan.workspace_id, "127.0.0.1")  # where the tests ask from
    return shared_workspace
