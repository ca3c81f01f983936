"""One real hub behind the real proxy and the real gate, unprivileged; the enclave's answers are written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from enclave.workspace.plan import WorkspacePlan, sign_plan
from tests.enclave.gate.world import World, make_world
from tests.hub_config.core_book import CoreBook
from tests.hub_config.processes import PORTS, PROXY, USER, HubProcesses, make_tokens
from tests.ports import free_ports


@dataclass
class HubWorld(HubProcesses):
    """The processes and the doors to them, with a real gate behind."""

    world: World = field(kw_only=True)
    image: str | None = None

    def plan_for(self, login: str) -> tuple[WorkspacePlan, bytes]:
        changes = {"image_id": self.image, "memory_bytes": 1 << 30, "pids": 256} if self.image else {}
        plan = self.world.plan(workspace_id=f"hub{os.getpid()}-{login}", login=login, **changes)
        self.world.register(plan)
        return plan, sign_plan(plan, self.world.key)


@contextmanager
def make_hub(**more: Any) -> Iterator[HubWorld]:
    """Everything started; `more` are settings of `config.toml`."""
    if not PROXY.exists():
        pytest.fail("the proxy is not installed: run `make setup`")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    with make_world(hub_user=USER, **(ports | more)) as world:
        world.settings.hub.mkdir(mode=0o700)
        shutil.chown(world.settings.hub, USER, USER)
        make_tokens(world.settings)
        made = HubWorld(world.settings, None, world=world)  # type: ignore[arg-type] # filled next: each needs the other
        made.core = CoreBook(world.settings.core_socket, made.plan_for)
        try:
            made.start_all()
            yield made
        finally:
            made.end()


@pytest.fixture(scope="session")
def hub() -> Iterator[HubWorld]:
    with make_hub() as made:
        yield made
