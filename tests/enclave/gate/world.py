"""A real gate on a real engine, with a hub and a portal that only write down what reaches them."""

from __future__ import annotations

import asyncio
import http.server
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave.errors import Unavailable
from enclave.gate.bridge.bridge import remove_all
from enclave.gate.client import Gate
from enclave.gate.dockerd import Dockerd
from enclave.gate.fastened import Fastened
from enclave.settings import Settings
from enclave.workspace.engine import HUB_VARIABLES, create_body
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import WorkspacePlan, sign_plan
from enclave.workspace.topology import network_of
from enclave.workspace.views import View
from tests.enclave.gate.tiny_image import tiny_image

COUNTER = itertools.count(1)
LOGIN = "kim"
KEYS = {"home": bytes(range(64)), "outbox": bytes(range(64, 128))}


def until(condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Wait for something that another process does; fails if it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen")


class Recorder(http.server.ThreadingHTTPServer):
    """Stands where hub or portal listens; keeps every request it got and answers 200 with a fixed text."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Record)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Record(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"recorded")

    do_POST = do_GET  # noqa: N815 - the base class names it so

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class World:
    """The gate's home and everything a test needs to talk to it."""

    home: Path
    settings: Settings
    key: Ed25519PrivateKey
    hub: Recorder
    portal: Recorder
    gate: Gate
    view: View
    process: subprocess.Popen[bytes] | None = None
    workspaces: list[str] = field(default_factory=list)

    def start_gate(self, *options: str) -> None:
        log = (self.home / "gate.log").open("ab")
        environment = {**os.environ, "ANSIM_HOME": str(self.home)}
        command = [sys.executable, "-m", "enclave.gate", *options]
        self.process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        log.close()
        until(self._answers)

    def forget_bridge(self) -> None:
        """Remove the networks and rules of this home; fine if there are none."""
        asyncio.run(remove_all(self.settings, Dockerd(Path("/var/run/docker.sock"))))

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.home / "gate.log").read_text()
        try:
            return bool(self.gate.status())
        except Unavailable:
            return False

    def stop_gate(self, number: int = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(timeout=20)

    def engine(self) -> docker.APIClient:
        """The engine as the hub has it: through the filter."""
        return docker.APIClient(base_url=f"unix://{self.settings.engine_socket}", version="1.41", timeout=30)

    def project(self, number: int = 1) -> str:
        """A project of this world: its network has a name on the engine, which other worlds use as well."""
        return f"{self.home.name}-{number}"

    def plan(self, **changes: Any) -> WorkspacePlan:
        workspace_id = changes.pop("workspace_id", None) or f"t{os.getpid()}-{next(COUNTER)}"
        mounts = plan_mounts(Roots.under(self.home), workspace_id, {"nafld": self.view})
        plan = WorkspacePlan(
            workspace_id=workspace_id,
            project_id=self.project(),
            account_id="account-1",
            login=LOGIN,
            image_id=tiny_image(),
            mounts=mounts,
            expires_at=(datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0),
            memory_bytes=256 << 20,
            pids=64,
            home_bytes=16 << 20,
            outbox_bytes=16 << 20,
            network=network_of(self.project(), self.settings.topology),
        )
        return replace(plan, **changes)

    def register(self, plan: WorkspacePlan) -> str:
        self.workspaces.append(plan.workspace_id)
        return self.gate.register_plan(plan.canonical(), sign_plan(plan, self.key), keys=KEYS)

    def create(self, plan: WorkspacePlan, **variables: str) -> str:
        """Create it through the filter, as the hub does; returns the container's id."""
        client = self.engine()
        listens = {"JUPYTERHUB_SERVICE_URL": HUB_VARIABLES["JUPYTERHUB_SERVICE_URL"].format(plan=plan)}
        body = create_body(plan, {**listens, **variables})
        created = client.create_container_from_config(body, plan.container_name)
        client.close()
        return str(created["Id"])

    def run(self, plan: WorkspacePlan | None = None) -> Workspace:
        """Register, create, start and relay a workspace."""
        plan = plan or self.plan()
        self.register(plan)
        container = self.create(plan)
        client = self.engine()
        client.start(container)
        client.close()
        host, port = self.gate.relay(plan.workspace_id, container)
        return Workspace(self, plan, container, host, port)

    def clean(self) -> None:
        for workspace_id in self.workspaces:
            subprocess.run(["docker", "rm", "-f", f"ansim-{workspace_id}"], capture_output=True, check=False)
        if self.process and self.process.poll() is None:
            self.stop_gate()
        self.forget_bridge()
        for folder in self.settings.mounted.glob("*"):
            Fastened(Roots.under(self.home)).release(folder.name)
        for place in self.settings.volumes.glob("*/*"):
            if place.is_mount():
                subprocess.run(["umount", str(place)], check=True)
        for recorder in (self.hub, self.portal):
            recorder.shutdown()
            recorder.server_close()
        shutil.rmtree(self.home)


@dataclass
class Workspace:
    """A running workspace with the agent in it."""

    world: World
    plan: WorkspacePlan
    container: str
    host: str
    port: int

    @property
    def outbox(self) -> Path:
        return self.world.settings.volumes / self.plan.workspace_id / "outbox"

    def python(self, code: str) -> str:
        """Run Python inside, as the scientist; returns what it printed, and `[exit N]`."""
        command = [
            "docker",
            "exec",
            "--user",
            f"{self.plan.uid}:{self.plan.uid}",
            self.container,
            "/usr/bin/python3.11",
            "-c",
            code,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        return f"{done.stdout}{done.stderr}\n[exit {done.returncode}]"

    def end(self) -> None:
        self.world.gate.revoke(self.plan.workspace_id)
        self.world.gate.remove_volumes(self.plan.workspace_id)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


@contextmanager
def make_world(**more: Any) -> Iterator[World]:
    """A home under /tmp (short: unix socket paths), keys, one view with data, recorders, a started gate."""
    home = Path(tempfile.mkdtemp(prefix="ansim-g-", dir="/tmp"))
    home.chmod(0o755)
    hub, portal = Recorder(), Recorder()
    values = {
        "run_folder": str(home / "run"),
        "app_user": "nobody",
        "hub_user": "root",
        "hub_port": hub.server_port,
        "portal_port": portal.server_port,
        "image": tiny_image(),
        "stray_seconds": 86_400,  # nobody here asks as a hub does
        **more,
    }
    (home / "config.toml").write_text("".join(f"{key} = {_toml(value)}\n" for key, value in values.items()))
    settings = Settings.load(home)
    key = Ed25519PrivateKey.generate()
    (home / "keys").mkdir()
    pem, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    settings.plan_key.with_suffix(".pub").write_bytes(key.public_key().public_bytes(pem, form))
    view = View(settings.views / ("ab" * 32), "ab" * 32)
    view.path.mkdir(parents=True)
    (view.path / "labs.parquet").write_bytes(b"PAR1 not really")
    (home / "jupyter").mkdir()
    (home / "jupyter" / "jupyter_server_config.py").write_text("# ours\n")
    world = World(home, settings, key, hub, portal, Gate(settings.gate_socket), view)
    try:
        world.start_gate()
        yield world
    finally:
        world.clean()
