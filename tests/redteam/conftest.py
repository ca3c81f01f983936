"""One world for each topology, and one running workspace in each that tests do not harm: the same attacks on both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enclave.workspace.topology import Topology
from tests.enclave.gate.world import Workspace, World, make_world


@pytest.fixture(scope="session")
def sealed_inside() -> Iterator[Workspace]:
    with make_world() as made:
        yield made.run()


@pytest.fixture(scope="session")
def bridge_inside() -> Iterator[Workspace]:
    with make_world(topology=str(Topology.BRIDGE)) as made:
        yield made.run()


@pytest.fixture(scope="session", params=list(Topology))
def inside(request: pytest.FixtureRequest) -> Workspace:
    found: Workspace = request.getfixturevalue(f"{request.param}_inside")
    return found


@pytest.fixture(scope="session")
def world(inside: Workspace) -> World:
    return inside.world
