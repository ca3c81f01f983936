"""`make down`: stop and remove what `make demo` started, keep the data."""

from __future__ import annotations

import os
import shutil
import sys

from scripts.setting_up import docker_engine, venvs
from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done, StepFailedError, say, step

NOW = "위의 줄을 보고 고친 뒤 다시 실행하세요"


def down() -> None:
    """Stop the services of `$ANSIM_HOME`, remove its containers and mounts, stop the engine if set-up started it.

    Raises: StepFailedError.
    """
    step("1", "서비스와 작업공간 정리", services)
    step("2", "컨테이너 엔진", engine)


def services() -> Done:
    """Stop the services, remove containers, mounts and loop devices."""
    python = venvs.SERVICES / "bin/python"
    if not python.exists():
        return Done("설치되어 있지 않음")
    return Done(call([python, "-m", "demo.services", "stop"], NOW, env=dict(os.environ)).strip())


def engine() -> Done:
    """Stop the engine if it is ours and empty."""
    return Done(docker_engine.stop_ours() if shutil.which("docker") else "설치되어 있지 않음")


def main() -> int:
    """Run it; returns the exit code."""
    if os.geteuid() != 0:
        say("root 권한이 필요합니다 / needs root: sudo make down")
        return 1
    try:
        down()
    except StepFailedError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
