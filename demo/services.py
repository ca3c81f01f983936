"""The processes of the enclave: started in order, each waited for; stopped in the other order.

`python -m demo.services start|stop|status` acts on `$ANSIM_HOME` (root). A process that runs the installed code with
the settings of now is left alone, so a second start is quick and a restarted hub cuts nobody off.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from demo import daemon, home, leftovers
from demo.daemon import Daemon
from demo.show import StepFailedError, console
from enclave.errors import EnclaveError
from enclave.gate.client import Gate
from enclave.settings import Settings

OPT = Path(os.environ.get("ANSIM_OPT", "/opt/ansim"))
VENV = OPT / "venv"
JUPYTER = OPT / "jupyter"  # the notebook server's configuration, put there by set-up
READY_S = 60.0
POLL_S = 0.1
PROBE_S = 2.0


@dataclass(frozen=True)
class Service:
    """A process of ours and how to tell that it does its work."""

    daemon: Daemon
    ready: Callable[[], bool]


def services(settings: Settings) -> list[Service]:
    """Return the processes in the order in which they need each other."""
    python, hub_python = str(VENV / "bin/python"), str(VENV / "bin/jupyterhub")
    environment = {"ANSIM_HOME": str(settings.home), "PATH": f"{VENV}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

    def service(name: str, user: str, cwd: Path, argv: list[str], ready: Callable[[], bool]) -> Service:
        return Service(Daemon(name, tuple(argv), user, cwd, environment=environment), ready)

    app, log, hub = settings.app_user, settings.log_user, settings.hub_user
    config = str(_installed("hub_config/jupyterhub_config.py"))
    return [
        service(
            "gate",
            "root",
            Path("/"),
            [python, "-m", "enclave.gate", "--jupyter", str(JUPYTER)],
            lambda: _gate_answers(settings),
        ),
        service("sequencer", log, settings.log, _sequencer(python, settings), lambda: _has_checkpoint(settings)),
        service("portal", app, settings.db, [python, "-m", "enclave.portal"], lambda: _portal_answers(settings)),
        service("proxy", hub, settings.hub, [python, "-m", "hub_config.proxy"], lambda: _proxy_answers(settings)),
        service("hub", hub, settings.hub, [hub_python, "-f", config], lambda: _login_page_answers(settings)),
        service(
            "drill",
            "root",
            Path("/"),
            [python, "-m", "enclave.drill.serve"],
            (settings.drill / "ready").exists,
        ),
    ]


def start_all(settings: Settings) -> list[str]:
    """Start what does not run as it should; returns the names started. Nothing happens to the others.

    Raises: StepFailedError with the last lines of the log of the process that did not come up.
    """
    home.make_folders(settings)  # the run folder is gone after a reboot
    home.mount_views(settings)
    stamp, started = _stamp(settings), []
    for service in services(settings):
        name = service.daemon.name
        running = daemon.find(settings.process, name)
        if running and running.stamp == stamp and service.ready():
            continue
        daemon.stop(settings.process, name)
        daemon.start(service.daemon, settings.process, stamp)
        _wait(settings, service)
        started.append(name)
    return started


def stop_all(settings: Settings) -> list[str]:
    """Stop the processes, then remove containers, mounts and loop devices of this enclave; data stays.

    Returns what was stopped and removed, in words.
    """
    done = [
        service.daemon.name
        for service in reversed(services(settings))
        if daemon.stop(settings.process, service.daemon.name)
    ]
    return done + leftovers.remove(settings)


def status(settings: Settings) -> dict[str, str]:
    """Return for each process `ready`, `starting` (or stuck) or `stopped`."""
    said = {}
    for service in services(settings):
        running = daemon.find(settings.process, service.daemon.name)
        said[service.daemon.name] = "stopped" if not running else "ready" if service.ready() else "starting"
    return said


def _wait(settings: Settings, service: Service) -> None:
    name, until = service.daemon.name, time.monotonic() + READY_S
    while not service.ready():
        if daemon.find(settings.process, name) is None or time.monotonic() > until:
            tail = daemon.log_tail(settings.process, name)
            raise StepFailedError(
                f"{name} 이(가) 시작되지 않았습니다.\n{tail}", f"{settings.process / name}.log 를 보세요"
            )
        time.sleep(POLL_S)


def _sequencer(python: str, settings: Settings) -> list[str]:
    key = settings.keys / "log.key"
    wait = ["--database-wait", str(settings.database_wait_s)]
    return [python, "-m", "audit.serve", settings.log_url, str(settings.log), str(key), *wait]


def _gate_answers(settings: Settings) -> bool:
    try:
        Gate(settings.gate_socket).status()
    except EnclaveError:
        return False
    return settings.engine_socket.is_socket()


def _has_checkpoint(settings: Settings) -> bool:
    return (settings.log / "checkpoint").exists()


def _portal_answers(settings: Settings) -> bool:
    return (
        _ok(f"http://127.0.0.1:{settings.portal_port}/services/portal/health", "") and settings.core_socket.is_socket()
    )


def _proxy_answers(settings: Settings) -> bool:
    """Its interface refuses whoever has no token: it is there."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{settings.proxy_api_port}/api/routes", timeout=PROBE_S)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.FORBIDDEN


def _login_page_answers(settings: Settings) -> bool:
    """Through the proxy, under the public name: this is what a person types."""
    host = settings.public_url.partition("://")[2]
    return _ok(f"http://127.0.0.1:{settings.front_port}/hub/login", host)


def _ok(url: str, host: str) -> bool:
    try:
        answer = httpx.get(url, headers={"Host": host} if host else {}, timeout=PROBE_S)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _installed(path: str) -> Path:
    (found,) = VENV.glob(f"lib/python3.*/site-packages/{path}")
    return found


def _stamp(settings: Settings) -> str:
    """One hash of code, settings and keys: when it changes, processes that read them must start again."""
    files = [VENV / ".ansim-all", settings.home / "config.toml", *sorted(settings.keys.iterdir())]
    total = hashlib.sha256()
    for path in files:
        total.update(path.read_bytes() if path.exists() else b"-")
    return total.hexdigest()


def main(arguments: list[str]) -> int:
    """Start, stop or show the processes of `$ANSIM_HOME`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo.services", description=__doc__)
    parser.add_argument("what", choices=["start", "stop", "status"])
    what, settings = parser.parse_args(arguments).what, Settings.load()
    try:
        if what == "status":
            console.print("\n".join(f"{name}: {state}" for name, state in status(settings).items()))
        else:
            names = start_all(settings) if what == "start" else stop_all(settings)
            console.print(f"{what}: {', '.join(names) or '-'}")
    except StepFailedError as failure:
        console.print(f"✘ {failure.what}\n  지금 할 일: {failure.now}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
