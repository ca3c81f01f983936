from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.portal.parts import portal_origin
from enclave.settings import Settings
from tests.enclave.portal import world as worlds
from tests.enclave.portal.hub_peer import HubPeer
from tests.enclave.portal.world import World


@pytest.fixture(scope="session")
def peer() -> Iterator[HubPeer]:
    made = HubPeer(callback=f"{portal_origin(Settings())}/services/portal/oauth_callback", secret="token-of-the-portal")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def stage() -> Iterator[None]:
    """The server on which each test's portal appears."""
    running = worlds.STAGE.start()
    yield
    running.stop()


@pytest.fixture(scope="session")
def template(stage: None, peer: HubPeer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = worlds.build(tmp_path_factory.mktemp("enclave"), peer)
    made.store.close()
    yield made
    made.close()


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """An enclave of this test's own."""
    made = worlds.copy(template, tmp_path / "home")
    yield made
    made.close()
