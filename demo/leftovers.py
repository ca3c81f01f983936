"""What workspaces leave on the machine: containers, networks, mounts, loop devices. Found by what they use."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

from enclave.gate.bridge.bridge import remove_all
from enclave.gate.dockerd import Dockerd
from enclave.settings import Settings
from enclave.workspace.engine import LABEL_WORKSPACE
from enclave.workspace.topology import Topology

ENGINE = Path("/var/run/docker.sock")


def remove(settings: Settings) -> list[str]:
    """Remove this enclave's containers, unmount its volumes, free their loop devices; returns what, in words.

    Another enclave on the same machine (other home) is not touched. Volumes keep their data.
    """
    done = [_remove_container(container) for container in containers(settings)]
    if settings.topology == Topology.BRIDGE and shutil.which("docker"):
        done += asyncio.run(remove_all(settings, Dockerd(ENGINE)))
    for place in reversed(mounts(settings.home)):
        _run("umount", place)
        done.append(f"mount {Path(place).name}")
    for device in loop_devices(settings.home):
        _run("losetup", "--detach", device)
        done.append(device)
    return done


def containers(settings: Settings) -> list[str]:
    """Return the ids of workspace containers that mount anything of this home; none if there is no engine."""
    if not shutil.which("docker"):
        return []
    listed = _run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL_WORKSPACE}").split()
    found = json.loads(_run("docker", "inspect", *listed)) if listed else []
    home = f"{settings.home}/"
    return [entry["Id"] for entry in found if any(mount["Source"].startswith(home) for mount in entry["Mounts"])]


def mounts(home: Path) -> list[str]:
    """Return the mount points below `home`, outer ones first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    # Octal escapes (proc(5)) cannot occur: our names are slugs and ids.
    return [place for place in (line.split()[1] for line in lines) if place.startswith(f"{home}/")]


def loop_devices(home: Path) -> list[str]:
    """Return the loop devices whose file lies below `home`."""
    said = _run("losetup", "--list", "--json", "--output", "NAME,BACK-FILE") or '{"loopdevices": []}'
    return [entry["name"] for entry in json.loads(said)["loopdevices"] if _below(entry["back-file"], home)]


def _below(back_file: str | None, home: Path) -> bool:
    return (back_file or "").startswith(f"{home}/")


def _remove_container(container: str) -> str:
    _run("docker", "rm", "--force", "--volumes", container)
    return f"container {container[:12]}"


def _run(*command: str) -> str:
    """Return a program's output; empty if it fails (the engine may be gone: then there is nothing to remove)."""
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
