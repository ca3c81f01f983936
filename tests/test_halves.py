"""`make suite` runs every test once: those that share the machine, then those that need it to themselves."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _make(*words: str) -> subprocess.CompletedProcess[str]:
    # Without what a `make` above these tests hands down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _runs() -> list[list[str]]:
    """The runs of pytest that `make suite` makes, as words."""
    recipe = _make("--dry-run", "suite", "WORKERS=3").stdout
    parts = recipe.replace("&&", ";").split(";")
    return [shlex.split(part) for part in parts if "pytest" in part]


def test_each_test_is_in_exactly_one_half() -> None:
    chosen = ["-m", "not alone"], ["-m", "alone"]
    shared, alone = _runs()
    python = [".venv/bin/python", "-m", "pytest"]
    # Nothing else chooses: no path, no -k, nothing deselected.
    assert shared == [*python, "-n", "3", "--dist", "worksteal", *chosen[0]]
    assert alone == [*python, *chosen[1]]


@pytest.mark.parametrize(
    ("shared", "alone", "holds"),
    [(0, 0, True), (1, 0, False), (0, 1, False), (5, 0, False)],
    ids=["both hold", "the first fails", "the second fails", "the first finds no test"],
)
def test_a_half_that_fails_fails_the_whole(tmp_path: Path, shared: int, alone: int, holds: bool) -> None:
    python = tmp_path / "python"
    codes = f'case "$*" in *"not alone"*) exit {shared};; *) exit {alone};; esac'
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\n{codes}\n')
    python.chmod(0o755)
    done = _make("suite", f"PY={python}")
    assert (done.returncode == 0) == holds, done.stderr
    assert len((tmp_path / "ran").read_text().splitlines()) == 2, "both run whatever the first one says"


@pytest.mark.parametrize("where", ["tests/e2e", "tests/enclave/gate/test_storage.py"])
def test_what_needs_the_engine_is_in_the_second_half(where: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", where]
    done = subprocess.run([*command, "-m", "not alone"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout  # pytest's code for: no test was collected


def test_the_engine_answers_only_those_that_say_they_need_it() -> None:
    done = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode != 0
    assert "tests-that-need-the-engine" in done.stderr
