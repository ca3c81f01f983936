"""One process in the background: started as its user, remembered by id and birth, stopped by exactly these.

Standard library only, because set-up uses it before anything is installed. Source: start-stop-daemon(8).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

START_STOP_DAEMON = "/sbin/start-stop-daemon"
STOP_S = 10.0
LOG_TAIL = 12


@dataclass(frozen=True)
class Daemon:
    """What to run: `argv[0]` is a path; `user` is a system user whose groups it gets; `umask` in octal digits."""

    name: str
    argv: tuple[str, ...]
    user: str
    cwd: Path
    umask: str = "027"
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A process that was started, its process group, and what it was started for.

    Id and birth (clock ticks since boot) together are never used twice.
    """

    pid: int
    ticks: int
    stamp: str
    group: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return birth(self.pid) == self.ticks


def birth(pid: int) -> int | None:
    """Return when process `pid` began, in clock ticks since boot; None if there is none or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    after_name = stat.rpartition(")")[2].split()
    return None if after_name[0] in {"Z", "X"} else int(after_name[19])


def find(folder: Path, name: str) -> Running | None:
    """Return the process `name` if it runs, by its record in `folder`."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    running = Running(**json.loads(path.read_text()))
    return running if running.alive else None


def start(daemon: Daemon, folder: Path, stamp: str) -> Running:
    """Start the process and write `<name>.json` (id, birth, stamp) and `<name>.log` into `folder`.

    It gets a small environment: nothing of the caller's but what `environment` says. Raises: RuntimeError if it could
    not be started at all.
    """
    pid_file = folder / f"{daemon.name}.pid"
    pid_file.unlink(missing_ok=True)
    options = ["--start", "--quiet", "--background", "--make-pidfile", "--pidfile", str(pid_file)]
    options += ["--chdir", str(daemon.cwd), "--umask", daemon.umask, "--output", str(log_path(folder, daemon.name))]
    options += ["--chuid", daemon.user] if daemon.user != "root" else []
    command = [START_STOP_DAEMON, *options, "--startas", daemon.argv[0], "--", *daemon.argv[1:]]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **daemon.environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    pid = _wait_for_pid(pid_file) if done.returncode == 0 else 0
    if not pid:
        raise RuntimeError(f"{daemon.name}: {done.stderr.strip() or 'no process id'}")
    running = Running(pid, birth(pid) or 0, stamp, _group(pid))
    (folder / f"{daemon.name}.json").write_text(json.dumps(asdict(running)))
    return running


def stop(folder: Path, name: str) -> bool:
    """Ask the process to end (SIGTERM), make it after ten seconds (SIGKILL); False if it did not run."""
    running = find(folder, name)
    if running:
        _end(running)
    for suffix in ("json", "pid"):
        (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    return running is not None


def log_path(folder: Path, name: str) -> Path:
    """Return where the process writes what it has to say."""
    return folder / f"{name}.log"


def log_tail(folder: Path, name: str) -> str:
    """Return the last lines of what the process said."""
    path = log_path(folder, name)
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-LOG_TAIL:])


def _wait_for_pid(pid_file: Path) -> int:
    until = time.monotonic() + STOP_S
    while time.monotonic() < until:
        text = pid_file.read_text().strip() if pid_file.exists() else ""
        if text:
            return int(text)
        time.sleep(0.02)
    return 0


def _end(running: Running) -> None:
    os.kill(running.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while running.alive:
        if time.monotonic() > until:
            os.kill(running.pid, signal.SIGKILL)
            until += STOP_S
        time.sleep(0.05)
    # What it started and did not end itself; the group's id is free only when nobody is left in it.
    if running.group:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.group, signal.SIGKILL)


def _group(pid: int) -> int:
    """Return the process group; 0 for a process that died at once (it is found dead later, with its log)."""
    try:
        group = os.getpgid(pid)
    except ProcessLookupError:
        return 0
    return group if group != os.getpgrp() else 0  # never our own
