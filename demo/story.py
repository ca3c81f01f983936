"""`make demo`: the main job from hospital file to released result, on real data, left running to click through.

Set-up (chapter 1) has run before. Every chapter goes through the doors that people use; `python -m demo.story`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

from demo.chapters import airlock, cohort, data, proof, work
from demo.people import OPERATOR, PEOPLE, Person
from demo.services import start_all
from demo.show import StepFailedError, box, console, step
from demo.world import World
from enclave.roles import LABELS, Role
from enclave.settings import Settings


def play(settings: Settings) -> World:
    """Play the whole story; returns what it made. Raises: StepFailedError after printing what and what now."""
    world = World.of(settings)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(world.close)
        _play(world)
        on_failure.pop_all()
    return world


def _play(world: World) -> None:
    settings = world.settings
    (settings.home / "demo").mkdir(mode=0o700, exist_ok=True)
    with step("1.1", "서비스 시작") as line:
        started = start_all(settings)
        line.said = ", ".join(started) or "이미 실행 중"
        line.look = str(settings.process)
    with step("1.2", "시연 계정") as line:
        made = world.make_people()
        line.said = f"{len(made)}개 만듦" if made else "이미 있음"
    data.ingest(world)
    data.deidentify(world)
    work.apply_and_approve(world)
    work.work(world)
    cohort.cohort(world)
    airlock.ask(world)
    airlock.decide(world)
    airlock.attack(world)
    proof.prove(world)
    proof.review(world)


def main() -> int:
    """Play the story and say what to click; returns the exit code."""
    if os.geteuid() != 0:
        console.print("root 권한이 필요합니다 / needs root: sudo make demo")
        return 1
    started = time.monotonic()
    try:
        world = play(Settings.load())
    except StepFailedError:
        return 1
    world.close()
    seconds = time.monotonic() - started
    people = [f"{p.login:9} {p.password:24} {_titles(p)}" for p in (*PEOPLE, OPERATOR)]
    box(
        f"켜져 있습니다 · running ({seconds:.0f} s)",
        [
            f"[bold]{world.settings.public_url}[/]   (이 컴퓨터의 브라우저에서)",
            "",
            *people,
            "",
            "2차 인증 번호(한 번만 쓰임): [bold]make code WHO=mina[/]",
            "눌러 볼 것: README.ko.md · What to click: README.md",
            "끄기: [bold]make down[/]   모두 지우기: [bold]make clean[/]",
        ],
    )
    return 0


def _titles(person: Person) -> str:
    """Return the roles of a person in words."""
    return ", ".join(LABELS[Role(each)][0] for each in person.roles)


if __name__ == "__main__":
    sys.exit(main())
