"""`make clean` asks, and does nothing on any answer but yes."""

from __future__ import annotations

import pytest

from scripts.setting_up import clean
from scripts.setting_up.terminal import Done


@pytest.mark.parametrize("answer", ["", "no", "y", "YES please"])
def test_nothing_goes_without_a_clear_yes(monkeypatch, capsys, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr(clean.os, "geteuid", lambda: 0)
    monkeypatch.setattr(clean, "step", lambda *_: pytest.fail("something was done"))
    assert clean.main([]) == 1
    assert "아무것도 지우지 않았습니다" in capsys.readouterr().out


def test_what_will_go_is_named_before_the_question(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setenv("ANSIM_HOME", str(tmp_path))
    monkeypatch.setattr("builtins.input", lambda _: "no")
    monkeypatch.setattr(clean.os, "geteuid", lambda: 0)
    clean.main([])
    assert str(tmp_path) in capsys.readouterr().out


def test_images_go_also_if_the_engine_was_stopped_before(monkeypatch) -> None:
    """`make down` stops an engine that set-up had started."""
    asked: list[str] = []
    monkeypatch.setattr(clean.shutil, "which", lambda _: "/usr/bin/docker")
    monkeypatch.setattr(clean.docker_engine, "ensure", lambda: asked.append("engine") or Done("시작함"))
    monkeypatch.setattr(clean, "call", lambda command, _: asked.append(command[2]) or "")
    assert clean._images().said == "없음"
    assert asked == ["engine", *["ls"] * len(clean.TAGS)]
