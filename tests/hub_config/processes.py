"""The hub and its proxy as processes of an unprivileged user; what the hub tells the enclave is written down."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from demo.people import Person
from demo.session import Session
from enclave.settings import Settings
from tests.enclave.gate.world import until
from tests.hub_config.core_book import CODE, CoreBook

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "hub_config/jupyterhub_config.py"
PROXY = Path("/opt/ansim/proxy/node_modules/configurable-http-proxy")
USER = "daemon"  # any unprivileged user; in an installation ansim-hub
PORTS = ("public_port", "proxy_api_port", "hub_port")


@dataclass
class HubProcesses:
    """Hub and proxy of a home, and people at them."""

    settings: Settings
    core: CoreBook
    config: Path = CONFIG
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)

    @property
    def public(self) -> str:
        return self.settings.public_url

    def start(self, name: str, *argv: str) -> None:
        settings = self.settings
        environment = {**os.environ, "ANSIM_HOME": str(settings.home), "HOME": str(settings.hub)}
        with (settings.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, env=environment, user=USER, group=USER, extra_groups=[], cwd=settings.hub, stdout=log, stderr=log
            )

    def start_hub(self) -> None:
        self.start("hub", sys.executable, "-m", "jupyterhub", "-f", str(self.config))
        until(self._hub_answers, seconds=60)

    def start_all(self) -> None:
        self.start("proxy", sys.executable, "-m", "hub_config.proxy")
        self.start_hub()

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        self.processes[name].send_signal(number)
        self.processes[name].wait(timeout=30)

    def end(self) -> None:
        for session in self.sessions:
            session.http.close()
        for process in self.processes.values():
            process.terminate()
            process.wait(timeout=30)
        self.core.shutdown()
        self.core.server_close()

    def _hub_answers(self) -> bool:
        settings = self.settings
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


def make_tokens(settings: Settings) -> None:
    """The secrets that hub, proxy and portal share."""
    for name in ("portal.token", "proxy.token", "drill.token"):
        path = settings.keys / name
        path.write_text(secrets.token_hex(32))
        shutil.chown(path, USER, USER)
        path.chmod(0o600)
