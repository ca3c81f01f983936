"""The Docker engine: found running, or started.

There may be no service manager, and package scripts may be forbidden to start services: then the daemon is started
directly and its id remembered. `make down` stops only what we started.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from demo.daemon import birth
from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done, StepFailedError

PID_FILE = Path("/var/run/docker.pid")
LOG = Path("/var/log/ansim-dockerd.log")
OURS = Path("/run/ansim-dockerd.json")
START_S, STOP_S = 60, 30
NOW = f"{LOG} 의 마지막 줄을 보세요"


def ensure() -> Done:
    """Return when the engine answers. Raises: StepFailedError with what its log says if it does not."""
    version = _version()
    if version:
        return Done(f"실행 중: {version}", "docker info")
    if not _start_by_service_manager():
        _start_directly()
    until = time.monotonic() + START_S
    while not (version := _version()):
        if time.monotonic() > until:
            raise StepFailedError(f"Docker 엔진이 {START_S}초 안에 응답하지 않습니다", NOW)
        time.sleep(0.2)
    return Done(f"시작함: {version}", str(LOG))


def stop_ours() -> str:
    """Stop the engine if we started it and nothing else runs in it; returns what was done, in words."""
    if not OURS.exists():
        return "우리가 시작하지 않았으므로 그대로 둠"
    ours = json.loads(OURS.read_text())
    if birth(ours["pid"]) != ours["ticks"]:
        OURS.unlink()
        return "이미 꺼져 있음"
    if call(["docker", "ps", "--quiet"], NOW).strip():
        return "다른 컨테이너가 실행 중이므로 그대로 둠"
    os.kill(ours["pid"], signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while birth(ours["pid"]) == ours["ticks"] and time.monotonic() < until:
        time.sleep(0.1)
    OURS.unlink()
    return "껐음"


def _version() -> str:
    command = ["docker", "version", "--format", "Docker {{.Server.Version}}"]
    if not shutil.which("docker"):
        return ""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def _start_by_service_manager() -> bool:
    """Whether systemd runs this machine and took the job."""
    if not Path("/run/systemd/system").is_dir():
        return False
    return subprocess.run(["/usr/bin/systemctl", "start", "docker"], check=False, capture_output=True).returncode == 0


def _start_directly() -> None:
    _forget_stale_pid()
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            ["/usr/sbin/dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    OURS.write_text(json.dumps({"pid": process.pid, "ticks": birth(process.pid)}))


def _forget_stale_pid() -> None:
    """Remove a pid file whose process is gone or is another program: dockerd would refuse to start."""
    if not PID_FILE.exists():
        return
    pid = PID_FILE.read_text().strip()
    command = Path(f"/proc/{pid}/comm")
    if not (pid.isdigit() and command.exists() and command.read_text().strip() == "dockerd"):
        PID_FILE.unlink()
