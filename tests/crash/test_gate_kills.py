"""The gate killed with -9 in the middle of its commands: what it answered holds, what it did not can be repeated."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import docker
import httpx
import pytest

from enclave.errors import EnclaveError
from enclave.gate.plans import Plans
from enclave.workspace.mounts import Roots
from enclave.workspace.plan import WorkspacePlan
from tests.enclave.gate.world import World, make_world, until

pytestmark = [
    pytest.mark.crash,
    pytest.mark.docker,
    # The engine's client library leaves its socket open when the gate dies under it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


@dataclass
class Told:
    """What the gate answered before it died: ports of open workspaces, and those that it had revoked."""

    ports: dict[str, int] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    plans: dict[str, WorkspacePlan] = field(default_factory=dict)
    doing: str = ""


def bring_up(world: World, plan: WorkspacePlan, told: Told) -> int:
    """What portal and hub do for a start, again after a crash as the first time."""
    told.doing = f"register {plan.workspace_id}"
    world.register(plan)
    client = world.engine()
    try:
        told.doing = f"create {plan.workspace_id}"
        with suppress(docker.errors.NotFound):
            client.remove_container(plan.container_name, force=True, v=True)
        container = world.create(plan)
        told.doing = f"start {plan.workspace_id}"
        client.start(container)
    finally:
        client.close()
    told.doing = f"relay {plan.workspace_id}"
    return world.gate.relay(plan.workspace_id, container)[1]


def work(world: World, told: Told, stop: threading.Event) -> None:
    """Open two, close one, again and again, until the gate is gone."""
    with suppress(EnclaveError, docker.errors.DockerException, httpx.HTTPError, OSError):
        while not stop.is_set():
            for _ in range(2):
                plan = world.plan()
                told.plans[plan.workspace_id] = plan
                told.ports[plan.workspace_id] = bring_up(world, plan, told)
            oldest = next(iter(told.ports))
            del told.ports[oldest]  # from here on it may be either
            told.doing = f"revoke {oldest}"
            world.gate.revoke(oldest)
            told.revoked.add(oldest)


def names(world: World) -> set[str]:
    client = docker.APIClient(version="1.41")
    try:
        return {each["Names"][0].lstrip("/") for each in client.containers(all=True)}
    finally:
        client.close()


@pytest.mark.parametrize("after", [0.05, 0.4, 0.9, 1.6, 2.4, 3.3])
def test_what_was_answered_holds_and_what_was_not_can_be_repeated(world: World, after: float) -> None:
    told, stop = Told(), threading.Event()
    worker = threading.Thread(target=work, args=(world, told, stop))
    worker.start()
    time.sleep(after)  # where it hits is chance; `told.doing` says where
    world.stop_gate(signal.SIGKILL)
    stop.set()
    worker.join()
    world.start_gate()
    try:
        assert_holds(world, told)
        assert_repeats(world, told)
    finally:
        for workspace_id in told.plans:
            world.gate.revoke(workspace_id)
            world.gate.remove_volumes(workspace_id)
    assert not list(world.settings.volumes.glob("*/*.new"))
    assert not any((world.settings.mounted / each).exists() for each in told.plans)


def assert_holds(world: World, told: Told) -> None:
    plans = Plans(Roots.under(world.home), world.settings.plan_key.with_suffix(".pub"))
    relays = world.gate.status()["relays"]
    for workspace_id, port in told.ports.items():
        assert relays[workspace_id]["port"] == port, told.doing
        address = f"http://127.0.0.1:{port}/user/kim/api/status"
        until(lambda address=address: httpx.get(address).status_code == 200)
        assert plans.known(workspace_id, told.plans[workspace_id].sha256) == told.plans[workspace_id]
    for workspace_id in told.revoked:
        assert f"ansim-{workspace_id}" not in names(world), told.doing
        assert plans.network(workspace_id) == ""
        assert workspace_id not in relays


def assert_repeats(world: World, told: Told) -> None:
    """The command that died is given again, as portal and hub would, and works."""
    what, _, workspace_id = told.doing.partition(" ")
    if what == "revoke":
        world.gate.revoke(workspace_id)
        assert f"ansim-{workspace_id}" not in names(world)
    elif workspace_id:
        port = bring_up(world, told.plans[workspace_id], told)
        assert httpx.get(f"http://127.0.0.1:{port}/user/kim/api/status").status_code == 200
