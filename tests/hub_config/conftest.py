"""One real hub behind the real proxy and the real gate, unprivileged; the enclave's answers are written down."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.people import Person
from demo.session import Session
from enclave.workspace.plan import WorkspacePlan, sign_plan
from tests.enclave.gate.world import World, free_port, make_world, until
from tests.hub_config.core_book import CODE, CoreBook

ROOT = Path(__file__).parents[2]
PROXY = Path("/opt/ansim/proxy/node_modules/configurable-http-proxy")
USER = "daemon"  # any unprivileged user; in an installation ansim-hub


@dataclass
class HubWorld:
    """The processes and the doors to them."""

    world: World
    core: CoreBook
    processes: dict[str, subprocess.Popen[bytes]]
    image: str | None = None
    sessions: list[Session] = field(default_factory=list)

    @property
    def public(self) -> str:
        return self.world.settings.public_url

    def start(self, name: str, *argv: str) -> None:
        settings = self.world.settings
        environment = {**os.environ, "ANSIM_HOME": str(settings.home), "HOME": str(settings.hub)}
        with (settings.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, env=environment, user=USER, group=USER, extra_groups=[], cwd=settings.hub, stdout=log, stderr=log
            )

    def start_hub(self) -> None:
        config = ROOT / "hub_config/jupyterhub_config.py"
        self.start("hub", sys.executable, "-m", "jupyterhub", "-f", str(config))
        until(self._hub_answers, seconds=60)

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        self.processes[name].send_signal(number)
        self.processes[name].wait(timeout=30)

    def _hub_answers(self) -> bool:
        settings = self.world.settings
        log = (settings.home / "hub.log").read_text()
        assert self.processes["hub"].poll() is None, log
        address = f"http://127.0.0.1:{settings.public_port}/hub/health"
        try:
            answer = httpx.get(address, headers={"Host": f"{settings.public_host}:{settings.public_port}"})
        except httpx.HTTPError:
            return False
        return answer.is_success

    def session(self, login: str) -> Session:
        person = Person(login, "이름", "onsaemi", ("scientist",))
        self.sessions.append(Session(person, self.public, lambda: CODE))
        return self.sessions[-1]

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
    ports = {"public_port": free_port(), "proxy_api_port": free_port(), "hub_port": free_port()}
    with make_world(hub_user=USER, **(ports | more)) as world:
        world.settings.hub.mkdir(mode=0o700)
        shutil.chown(world.settings.hub, USER, USER)
        for name in ("portal.token", "proxy.token", "drill.token"):
            path = world.settings.keys / name
            path.write_text(secrets.token_hex(32))
            shutil.chown(path, USER, USER)
            path.chmod(0o600)
        made = HubWorld(world, None, {})  # type: ignore[arg-type] # filled on the next line: each needs the other
        made.core = CoreBook(world.settings.core_socket, made.plan_for)
        try:
            made.start("proxy", sys.executable, "-m", "hub_config.proxy")
            made.start_hub()
            yield made
        finally:
            for session in made.sessions:
                session.http.close()
            for process in made.processes.values():
                process.terminate()
                process.wait(timeout=30)
            made.core.shutdown()
            made.core.server_close()


@pytest.fixture(scope="session")
def hub() -> Iterator[HubWorld]:
    with make_hub() as made:
        yield made
