"""Set-up: says what it will do, names what went wrong, helps those without root."""

from __future__ import annotations

import os

import pytest

import scripts.setting_up.__main__ as setting_up
from scripts.setting_up import call, debian, terminal
from scripts.setting_up.terminal import Done, StepFailedError


def test_a_missing_package_is_found_and_an_installed_one_is_not() -> None:
    assert debian.missing({"dpkg": "", "no-such-package-anywhere": ""}) == ["no-such-package-anywhere"]


def test_without_root_two_commands_are_named_and_nothing_is_done(monkeypatch, capsys) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setting_up, "step", lambda *_: pytest.fail("something was done"))
    assert setting_up.main(["--profile", "demo"]) == 1
    commands = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  s")]
    assert ["scripts/setup" in commands[0], "make" in commands[1], len(commands)] == [True, True, 2]


@pytest.mark.parametrize(("profile", "prepared"), [("demo", True), ("test", False)])
def test_only_a_demonstration_prepares_this_machines_enclave(monkeypatch, tmp_path, profile, prepared) -> None:
    titles: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(setting_up, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(setting_up, "step", lambda _number, title, _work: titles.append(title))
    assert setting_up.main(["--profile", profile]) == 0
    assert ("자료 폴더와 키" in titles) is prepared
    assert "작업공간 이미지" in titles


def test_a_step_says_what_happened_how_long_it_took_and_where_to_look(capsys) -> None:
    terminal.step("0.1", "something", lambda: Done("did it", "/there"))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("✔ 0.1 something  did it  ")
    assert first.endswith(" s")
    assert "/there" in second


def test_a_failing_step_says_what_and_what_now(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(call, "LOG", tmp_path / "log")

    def work() -> Done:
        call.call(["/bin/sh", "-c", "echo the reason >&2; exit 7"], "do that")
        return Done("never")

    with pytest.raises(StepFailedError):
        terminal.step("0.1", "something", work)
    said = capsys.readouterr().out
    assert [word in said for word in ("✘ 0.1 something", "7", "the reason", "do that")] == [True] * 4


def test_a_long_step_shows_that_it_goes_on(capsys, monkeypatch) -> None:
    monkeypatch.setattr(terminal, "PROGRESS_AFTER_S", 0.0)
    shown = []

    def work() -> Done:
        while not (text := capsys.readouterr().out):
            pass
        shown.append(text)
        return Done("did it")

    terminal.step("0.1", "something", work)
    assert "… 0.1 something" in shown[0]
