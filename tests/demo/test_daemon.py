"""Background processes: started as their user, found by id and birth, ended by exactly these."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo import daemon
from demo.daemon import Daemon

SLEEPER = Daemon("sleeper", ("/bin/sh", "-c", "id -un; umask; echo $COLOUR; exec sleep 1000"), "nobody", Path("/"))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for record in tmp_path.glob("*.json"):
        daemon.stop(tmp_path, record.stem)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def said(folder: Path, name: str, lines: int) -> list[str]:
    wait_for(lambda: len(daemon.log_tail(folder, name).splitlines()) >= lines)
    return daemon.log_tail(folder, name).splitlines()


def test_a_process_runs_as_its_user_with_its_mask_and_only_its_environment(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    running = daemon.start(replace(SLEEPER, environment={"COLOUR": "blue"}, umask="007"), folder, "v1")
    assert said(folder, "sleeper", 3) == ["nobody", "0007", "blue"]
    assert b"SECRET_OF_THE_CALLER" not in Path(f"/proc/{running.pid}/environ").read_bytes()


def test_a_started_process_is_found_and_a_stopped_one_is_not(folder: Path) -> None:
    running = daemon.start(SLEEPER, folder, "v1")
    assert daemon.find(folder, "sleeper") == running
    assert daemon.stop(folder, "sleeper")
    assert (running.alive, daemon.find(folder, "sleeper")) == (False, None)
    assert not daemon.stop(folder, "sleeper")


def test_a_process_that_took_the_id_of_a_dead_one_is_left_alone(folder: Path) -> None:
    record = {
        "pid": os.getpid(),
        "ticks": 1,
        "stamp": "v1",
        "group": os.getpgrp(),
    }  # this test's id, born at another time
    (folder / "sleeper.json").write_text(json.dumps(record))
    assert daemon.find(folder, "sleeper") is None
    assert not daemon.stop(folder, "sleeper")


def test_a_process_that_does_not_want_to_end_is_ended(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(daemon, "STOP_S", 0.2)
    stubborn = replace(SLEEPER, argv=("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"))
    running = daemon.start(stubborn, folder, "v1")
    said(folder, "sleeper", 1)
    assert daemon.stop(folder, "sleeper")
    assert not running.alive


def test_what_a_process_started_ends_with_it(folder: Path) -> None:
    parent = replace(SLEEPER, argv=("/bin/sh", "-c", "sleep 1000 & echo $!; wait"))
    daemon.start(parent, folder, "v1")
    child = int(said(folder, "sleeper", 1)[0])
    daemon.stop(folder, "sleeper")
    wait_for(lambda: daemon.birth(child) is None)
    assert daemon.birth(child) is None


def test_a_process_that_dies_at_once_is_not_found_but_its_words_are(folder: Path) -> None:
    dying = daemon.start(replace(SLEEPER, argv=("/bin/sh", "-c", "echo no settings; exit 3")), folder, "v1")
    assert said(folder, "sleeper", 1) == ["no settings"]
    wait_for(lambda: not dying.alive)  # between its last words and its end is a moment
    assert daemon.find(folder, "sleeper") is None
