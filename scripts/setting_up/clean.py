"""`make clean`: remove everything set-up and the demo made, after asking. Debian packages stay installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from images.builder.places import REPO, Places
from scripts.setting_up import docker_engine, down, people, venvs
from scripts.setting_up.call import LOG, call
from scripts.setting_up.terminal import Done, StepFailedError, say, step

TAGS = ("ansim-workspace:latest", "ansim-naive:latest")
NOW = "위의 줄을 보고 고친 뒤 다시 실행하세요"


def things() -> list[Path]:
    """Return the folders and files that go: data with all keys, code, caches, logs, environments of the checkout."""
    home = Path(os.environ.get("ANSIM_HOME", "/var/lib/ansim"))
    system = [home, Path("/run/ansim"), Path("/opt/ansim"), Places.of_this_machine().cache, LOG, venvs.COMMAND]
    return [path for path in (*system, REPO / "build", REPO / ".venv") if path.exists() or path.is_symlink()]


def main(arguments: list[str]) -> int:
    """Ask (not with `--yes`), then remove; returns the exit code."""
    if os.geteuid() != 0:
        say("root 권한이 필요합니다 / needs root: sudo make clean")
        return 1
    say("다음을 모두 지웁니다. 키를 지우면 가명·로그·보관 자료를 되살릴 수 없습니다:")
    for path in things():
        say(f"  {path}")
    say(f"  이미지 {' '.join(TAGS)}, 시스템 사용자 {' '.join(people.USERS)}. Debian 패키지는 남깁니다.")
    if "--yes" not in arguments and input("지우려면 yes 를 입력하세요: ").strip() != "yes":
        say("아무것도 지우지 않았습니다.")
        return 1
    try:
        step("1", "서비스와 작업공간 정리", down.services)
        step("2", "이미지", _images)
        step("3", "컨테이너 엔진", down.engine)
        step("4", "폴더와 사용자", _remove)
    except StepFailedError:
        return 1
    return 0


def _images() -> Done:
    if not shutil.which("docker"):
        return Done("엔진이 없음")
    docker_engine.ensure()  # `make down` may have stopped it; the next step stops it again
    present = [
        tag for tag in TAGS if call(["docker", "image", "ls", "--quiet", tag], "엔진을 켠 뒤 다시 실행하세요").strip()
    ]
    if present:
        call(["docker", "image", "rm", "--force", *present], NOW)
    return Done(f"지움: {' '.join(present)}" if present else "없음")


def _remove() -> Done:
    gone = things()
    for path in gone:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    people.remove()
    return Done(f"{len(gone)}개를 지움")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
