"""A private venv with pip and uv, pinned by hash: what set-up itself runs with. Standard library only.

Debian's own pip need not be installed, and the machine's pip configuration (mirror, certificates) is honoured.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

REPO = Path(__file__).parent.parent.parent
TOOLS = Path("/opt/ansim/tools")
LOCK = REPO / "locks/tools.txt"
SYSTEM_PYTHON = "/usr/bin/python3"


def is_current(tools: Path = TOOLS, lock: Path = LOCK) -> bool:
    """Tell whether the venv was made from this very lock."""
    stamp = tools / "lock.sha256"
    return stamp.exists() and stamp.read_text() == hashlib.sha256(lock.read_bytes()).hexdigest()


def ensure(tools: Path = TOOLS, lock: Path = LOCK) -> Path:
    """Return the venv's Python; make or renew the venv when its lock has changed.

    Raises: subprocess.CalledProcessError when python3-venv is missing or the package index does not answer.
    """
    python = tools / "bin/python"
    if is_current(tools, lock):
        return python
    shutil.rmtree(tools, ignore_errors=True)
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", tools], check=True)
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
    ]
    subprocess.run([*install, "--require-hashes", "--no-deps", "-r", lock], check=True)
    (tools / "lock.sha256").write_text(hashlib.sha256(lock.read_bytes()).hexdigest())
    return python


if __name__ == "__main__":
    ensure()
