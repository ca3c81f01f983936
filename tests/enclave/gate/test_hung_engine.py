"""A container engine that hangs behind a living gate: whoever asks is answered, stops close the screen, all catches up.

Where no container is needed, the engine is a socket at which nobody answers; else the real one behind a relay that is
stopped. No test measures a time: what is asserted happens while the engine still hangs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import httpx
import pytest

from enclave.errors import Unavailable
from enclave.gate.client import Gate
from enclave.settings import Settings
from enclave.workspace.plan import container_of
from tests.enclave.gate.world import World, make_world, until
from tests.hung import before, relaying, stopped, to
from tests.ports import free_port

ENGINE = Path("/var/run/docker.sock")
# More than the gate's places for connections.
MANY = 140
W = "w-1"


class Silent:
    """A gate process whose engine takes connections and says nothing, or (`drips`) a byte of an answer at a time."""

    def __init__(self, home: Path) -> None:
        self.engine = socket.socket(socket.AF_UNIX)
        self.engine.bind(str(home / "engine"))
        self.engine.listen(64)
        (home / "keys").mkdir()
        values = {"app_user": "nobody", "hub_user": "root", "run_folder": str(home / "run")}
        numbers = {"hub_port": free_port(), "portal_port": free_port(), "engine_ask_s": 1, "engine_order_s": 1}
        lines = [*(f'{key} = "{value}"' for key, value in values.items()), *(f"{k} = {v}" for k, v in numbers.items())]
        (home / "config.toml").write_text("\n".join(lines))
        self.settings = Settings.load(home)
        self.gate = Gate(self.settings.gate_socket)
        command = [sys.executable, "-m", "enclave.gate", "--docker-socket", str(home / "engine")]
        with (home / "gate.log").open("wb") as log:
            environment = {**os.environ, "ANSIM_HOME": str(home)}
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def answers(self) -> bool:
        try:
            return self.gate.status()["engine"] is False
        except Unavailable:
            return False

    def hub(self) -> httpx.Client:
        """The engine as the hub has it: through the gate's filter."""
        transport = httpx.HTTPTransport(uds=str(self.settings.engine_socket))
        return httpx.Client(transport=transport, base_url="http://engine/v1.41", timeout=60)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.engine.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    # Below /tmp: the path of a unix socket is short.
    with tempfile.TemporaryDirectory(prefix="ansim-g-", dir="/tmp") as folder:
        made = Silent(Path(folder))
        try:
            until(made.answers, seconds=60)
            yield made
        finally:
            made.close()


def in_force(silent: Silent) -> Path:
    """Say that the workspace has a plan in force; returns the file that says so."""
    folder = silent.settings.volumes / W
    (folder / "plans").mkdir(parents=True)
    (folder / "current").write_text("0" * 64)
    return folder / "current"


def code_of(act: Callable[[], object]) -> str:
    try:
        act()
    except Unavailable as error:
        return error.code
    return ""


def test_a_gate_opens_although_its_engine_hangs_and_says_so(silent: Silent) -> None:
    assert silent.gate.status()["engine"] is False
    assert silent.gate.events() == []


def test_a_stop_withdraws_the_plan_and_says_that_the_container_waits(silent: Silent) -> None:
    current = in_force(silent)
    assert code_of(lambda: silent.gate.revoke(W)) == "gate.stop-waits"
    assert not current.exists()
    # Asked again it is no fault, and others are not waited for one after the other.
    assert [code_of(lambda name=name: silent.gate.revoke(name)) for name in (W, "w-2", "w-3")] == [
        "gate.stop-waits"
    ] * 3


def test_what_needs_no_engine_is_answered_while_a_crowd_asks_for_it(silent: Silent) -> None:
    with ThreadPoolExecutor(40) as crowd:
        asked = [crowd.submit(code_of, lambda: silent.gate.activity(W)) for _ in range(100)]
        assert silent.gate.events() == []
        assert silent.gate.screen(W)
        silent.gate.lock(W)
    assert {each.result() for each in asked} == {"gate.engine-gone"}


def test_the_hub_is_told_and_one_that_gives_up_leaves_no_connection_behind(silent: Silent) -> None:
    with silent.hub() as hub:
        assert hub.get("/containers/ansim-w-1/json").status_code == 503
    # A call that goes to the engine itself, from a hub that does not wait: more of them than the gate has places.
    for _ in range(MANY):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(silent.settings.engine_socket))
            line.sendall(b"GET /v1.41/version HTTP/1.1\r\nHost: engine\r\n\r\n")
    until(lambda: _status(silent) == 503)
    # And one that does wait is let go by the gate.
    with silent.hub() as hub, pytest.raises(httpx.RemoteProtocolError):
        hub.get("/version")


def _status(silent: Silent) -> int:
    """What the hub is answered about a container; 0 if its connection is cut, as it is while all places are taken."""
    try:
        with silent.hub() as hub:
            return hub.get("/containers/ansim-w-1/json").status_code
    except httpx.HTTPError:
        return 0


def test_an_engine_that_sends_a_byte_at_a_time_is_left_too(silent: Silent) -> None:
    over = threading.Event()
    drip = threading.Thread(target=_drip, args=(silent.engine, over), daemon=True)
    drip.start()
    assert silent.gate.status()["engine"] is False
    assert code_of(lambda: silent.gate.activity(W)) == "gate.engine-gone"
    assert drip.is_alive()
    over.set()
    drip.join()


def _drip(engine: socket.socket, over: threading.Event) -> None:
    """Answer everybody who comes with a head that never ends."""
    engine.settimeout(0.05)
    lines: list[socket.socket] = []
    while not over.is_set():
        # Nobody comes, or who came has given up already.
        with contextlib.suppress(OSError):
            lines.append(engine.accept()[0])
            lines[-1].sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for line in lines:
            with contextlib.suppress(OSError):
                line.sendall(b"x")
    for line in lines:
        line.close()


@pytest.fixture
def behind() -> Iterator[tuple[World, int]]:
    """A gate of its own that reaches the real engine through a relay, and the relay's process."""
    with tempfile.TemporaryDirectory(prefix="ansim-r-", dir="/tmp") as folder:
        at = Path(folder) / "engine"
        with relaying(at, ENGINE) as relay, make_world(engine_ask_s=2, engine_order_s=20) as world:
            world.stop_gate()
            world.start_gate("--docker-socket", str(at))
            yield world, relay


def runs(container: str) -> bool:
    client = docker.APIClient(version="1.41")
    try:
        return bool(client.inspect_container(container)["State"]["Running"])
    except docker.errors.NotFound:
        return False
    finally:
        client.close()


@pytest.mark.docker
def test_what_was_stopped_while_the_engine_hung_is_removed_when_it_goes_on_and_the_rest_goes_on(
    behind: tuple[World, int],
) -> None:
    world, relay = behind
    ended, other = world.run(), world.run()
    with stopped(relay):
        until(lambda: world.gate.status()["engine"] is False)
        assert code_of(lambda: world.gate.revoke(ended.plan.workspace_id)) == "gate.stop-waits"
        # Nobody comes in any more, although the engine still has it; the other one is as it was.
        with pytest.raises(ConnectionRefusedError), socket.create_connection((ended.host, ended.port)):
            pass
        socket.create_connection((other.host, other.port)).close()
        assert set(world.gate.status()["relays"]) == {other.plan.workspace_id}
        assert runs(container_of(ended.plan.workspace_id))
    until(lambda: not runs(container_of(ended.plan.workspace_id)))
    assert runs(container_of(other.plan.workspace_id))
    until(lambda: not (world.settings.volumes / ended.plan.workspace_id / "home").is_mount())
    told = [each for each in world.gate.events() if each.workspace_id == ended.plan.workspace_id]
    assert len([each for each in told if each.kind == "stray-removed"]) <= 1
    # The engine goes on, and so does the start of a new one.
    again = world.run(world.plan(workspace_id=ended.plan.workspace_id))
    assert runs(container_of(again.plan.workspace_id))
    other.end()
    again.end()


@pytest.mark.docker
def test_an_engine_whose_answers_drip_is_asked_again_until_it_answers(tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ansim-r-", dir="/tmp") as folder,
        before(to(ENGINE), Path(folder) / "engine") as (relay, _),
        make_world(engine_ask_s=2, engine_order_s=20) as world,
    ):
        world.stop_gate()
        relay.drips = True
        world.start_gate("--docker-socket", str(Path(folder) / "engine"))
        assert world.gate.status()["engine"] is False
        relay.drips = False
        until(lambda: world.gate.status()["engine"])
