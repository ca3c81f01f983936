"""Everything between a fresh Debian 12 and the first step of the story, in order; safe to run again.

Only Python's standard library and the checkout: nothing else is there yet.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from images.builder.places import REPO
from scripts.setting_up import debian, docker_engine, image, people, proxy, venvs
from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done, StepFailedError, say, step

LOCK = Path("/run/lock/ansim-setup.lock")


def main(arguments: list[str]) -> int:
    """Run all steps; returns the exit code (1: a step failed and said why)."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("--profile", choices=["demo", "test"], default="demo", help="test: also what the tests need")
    options = parser.parse_args(arguments)
    os.umask(0o022)
    if os.geteuid() != 0:
        return _without_root(options.profile)
    try:
        with alone():
            _steps(options.profile)
    except StepFailedError:
        return 1
    return 0


def _steps(profile: str) -> None:
    step("0.1", "Debian 패키지", lambda: debian.install(profile))
    step("0.2", "설치 도구", venvs.bootstrap)
    step("0.3", "개발 환경", venvs.develop)
    step("0.4", "서비스 환경", venvs.services)
    step("0.5", "프록시", proxy.ensure)
    step("0.6", "시스템 사용자", people.create)
    step("0.7", "컨테이너 엔진", docker_engine.ensure)
    step("0.8", "작업공간 이미지", image.ensure)
    if profile == "demo":  # the tests make homes of their own and leave an enclave that lives here alone
        step("0.9", "자료 폴더와 키", _home)


@contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time on a machine; a second one waits."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  다른 설치가 진행 중입니다. 끝날 때까지 기다립니다.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _home() -> Done:
    """Folders, keys, settings and database of the enclave, made by the installed code itself."""
    home = os.environ.get("ANSIM_HOME", "/var/lib/ansim")
    said = call([venvs.SERVICES / "bin/python", "-m", "demo.home"], "위의 줄을 보고 고친 뒤 다시 실행하세요")
    return Done(said.strip(), home)


def _without_root(profile: str) -> int:
    """Say the two commands to run instead."""
    become = "sudo" if shutil.which("sudo") else "su root -c"
    quote = "" if become == "sudo" else "'"
    say("root 권한이 필요합니다. 설치할 Debian 패키지: " + " ".join(debian.missing(debian.wanted(profile))))
    say("다음 두 명령을 실행하세요 / needs root; run these two commands:")
    say(f"  {become} {quote}{REPO / 'scripts/setup'}{quote}")
    say(f"  {become} {quote}make -C {REPO} {'demo' if profile == 'demo' else 'test'}{quote}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
