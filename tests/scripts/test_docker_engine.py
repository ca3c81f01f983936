"""The engine's stale pid file is removed only when no engine stands behind it; only our engine is stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from scripts.setting_up import docker_engine


@pytest.mark.parametrize(
    "text", ["", "no number", "4194304000", str(os.getpid())], ids=["empty", "text", "gone", "other-program"]
)
def test_a_pid_file_without_an_engine_behind_it_is_removed(tmp_path: Path, monkeypatch, text: str) -> None:
    path = tmp_path / "docker.pid"
    path.write_text(text)
    monkeypatch.setattr(docker_engine, "PID_FILE", path)
    docker_engine._forget_stale_pid()
    assert not path.exists()


@pytest.mark.docker
def test_the_pid_file_of_a_running_engine_stays(tmp_path: Path, monkeypatch) -> None:
    found = [each for each in Path("/proc").glob("[0-9]*/comm") if each.read_text().strip() == "dockerd"]
    path = tmp_path / "docker.pid"
    path.write_text(found[0].parent.name)
    monkeypatch.setattr(docker_engine, "PID_FILE", path)
    docker_engine._forget_stale_pid()
    assert path.exists()


@pytest.mark.docker
def test_an_engine_that_somebody_else_started_is_left_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(docker_engine, "OURS", tmp_path / "none.json")
    docker_engine.stop_ours()
    # A record whose process id was taken over by another program is not ours either.
    record = tmp_path / "ours.json"
    record.write_text(json.dumps({"pid": os.getpid(), "ticks": 1}))
    monkeypatch.setattr(docker_engine, "OURS", record)
    docker_engine.stop_ours()
    assert docker_engine.ensure().said.startswith("실행 중")
    assert not record.exists()
