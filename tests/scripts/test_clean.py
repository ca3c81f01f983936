"""`make clean` asks, and does nothing on any answer but yes."""

from __future__ import annotations

import pytest

from scripts.setting_up import clean


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
