"""A second engine of the test's own, in whose PATH stands a double of NVIDIA's runtime hook.

Engine 20.10 offers its driver for GPUs when it finds an executable of that name, and has it called before a container
starts, with the container's state on its input. The double writes down what it was told and gives no device.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.gate.world import until

HOOK = """#!/usr/bin/python3
import json, pathlib, sys
state = json.load(sys.stdin)
config = json.loads((pathlib.Path(state["bundle"]) / "config.json").read_text())
seen = {"arguments": sys.argv[1:], "environment": config["process"]["env"]}
with (pathlib.Path(__file__).parent / "seen").open("a") as file:
    file.write(json.dumps(seen) + "\\n")
"""


@dataclass
class GpuEngine:
    """The engine's socket and what the hook was told."""

    folder: Path

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    def told(self) -> list[dict[str, Any]]:
        """Everything the hook was told, one for each start."""
        seen = self.folder / "bin/seen"
        return [json.loads(line) for line in seen.read_text().splitlines()] if seen.exists() else []

    def docker(self, *arguments: str, stdin: Any = None) -> str:
        command = ["docker", "-H", f"unix://{self.socket}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, stdin=stdin).stdout

    def answers(self) -> bool:
        command = ["docker", "-H", f"unix://{self.socket}", "version", "--format", "-"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


@contextmanager
def gpu_engine() -> Iterator[GpuEngine]:
    """Start it with its own folders and no network; stop it and remove everything."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-gpu-", dir="/var/lib"))
    made = GpuEngine(folder)
    (folder / "bin").mkdir()
    hook = folder / "bin/nvidia-container-runtime-hook"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    # In a network namespace of its own: a daemon without a bridge removes the docker0 that it finds.
    command = ["unshare", "--net", "/usr/sbin/dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec"]
    command += ["--pidfile", folder / "pid", "-H", f"unix://{made.socket}", "--bridge=none", "--iptables=false"]
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(made.answers, seconds=60)
        saved = subprocess.Popen(["docker", "save", tiny_image()], stdout=subprocess.PIPE)
        made.docker("load", "-q", stdin=saved.stdout)
        assert saved.stdout is not None
        saved.stdout.close()
        saved.wait()
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)
        for line in Path("/proc/self/mounts").read_text().splitlines():
            place = line.split()[1]
            if place.startswith(str(folder)):
                subprocess.run(["umount", "-l", place], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
