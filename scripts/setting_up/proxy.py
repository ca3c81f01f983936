"""configurable-http-proxy (npm) into /opt/ansim/proxy, from a lock with integrity hashes (docs/adr/0002-proxy.md)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from images.builder.places import REPO
from scripts.setting_up import venvs
from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done

LOCK = REPO / "locks/proxy"
PROXY = Path("/opt/ansim/proxy")


def ensure() -> Done:
    """Install the proxy if the lock changed; npm is the one of the services' venv. Raises: StepFailedError."""
    installed = PROXY / "package-lock.json"
    if installed.exists() and installed.read_bytes() == (LOCK / "package-lock.json").read_bytes():
        return Done("그대로", str(PROXY))
    new = PROXY.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(LOCK, new)
    os.environ["PATH"] = f"{venvs.SERVICES / 'bin'}:{os.environ['PATH']}"
    npm = venvs.SERVICES / "bin/npm"
    call([npm, "ci", "--prefix", str(new)], "네트워크와 npm 설정(`npm config list`)을 확인한 뒤 다시 실행하세요")
    shutil.rmtree(PROXY, ignore_errors=True)
    new.rename(PROXY)
    return Done("locks/proxy 대로 설치함", str(PROXY))
