"""The very same snapshot made twice is one; something else under its name is told, and nothing changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deid import engine
from deid.errors import OutputError
from deid.snapshot import verify
from deid.versions.before import load
from tests.deid.factory import HEAD, NOW, PEOPLE, Hospital, gates, visits

RECIPE = HEAD + gates() + PEOPLE


@pytest.fixture
def first(clinic: Hospital) -> engine.RunResult:
    clinic.write("visits.csv", visits([(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(20)]))
    return clinic.run(RECIPE)


def again(clinic: Hospital, first: engine.RunResult) -> engine.RunResult:
    """The next version with nothing new in it: no key is drawn, so that it is the same each time."""
    parent = load(first.snapshot, clinic.public_key, clinic.keys.store)
    return engine.run(clinic.recipe(RECIPE), clinic.source, clinic.out, clinic.keys, now=NOW, before=parent)


def state(clinic: Hospital) -> dict[str, bytes]:
    places = (clinic.out, clinic.keys.storage.folder)
    return {str(path): path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}


def test_the_same_snapshot_again_is_the_one_that_is_there(clinic: Hospital, first: engine.RunResult) -> None:
    second = again(clinic, first)
    before = state(clinic)
    third = again(clinic, first)
    assert (third.snapshot, third.manifest) == (second.snapshot, second.manifest)
    assert second.snapshot != first.snapshot
    assert state(clinic) == before


def test_making_it_again_brings_no_destroyed_key_back(clinic: Hospital, first: engine.RunResult) -> None:
    second = again(clinic, first)
    clinic.keys.storage.destroy(second.manifest.id, day="2026-11-24")
    again(clinic, first)
    assert clinic.keys.storage.open(second.manifest.id).keys == {}


def test_something_else_under_its_name_is_told_and_left_alone(clinic: Hospital, first: engine.RunResult) -> None:
    report = again(clinic, first).snapshot / "report.html"
    report.chmod(0o644)
    report.write_text("other")
    before = state(clinic)
    with pytest.raises(OutputError) as caught:
        again(clinic, first)
    assert caught.value.code == "deid.snapshot-exists"
    assert "report.html" in caught.value.en
    assert state(clinic) == before
    assert not list(clinic.out.glob(".*"))


def test_a_file_under_its_name_and_an_empty_folder(clinic: Hospital, first: engine.RunResult) -> None:
    made = again(clinic, first).snapshot
    made.rename(clinic.root / "aside")
    made.mkdir()
    assert verify(again(clinic, first).snapshot, clinic.public_key).id == made.name
    made.rename(clinic.root / "aside2")
    made.write_text("")
    with pytest.raises(OutputError):
        again(clinic, first)


@pytest.mark.parametrize("step", ["save", "rename"])
def test_killed_while_it_gets_its_name_the_next_run_makes_the_same(
    clinic: Hospital, first: engine.RunResult, step: str
) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from deid.versions.keystore import KeyStore
from tests.deid import test_same_snapshot as same
from tests.deid.factory import Hospital
from deid import engine
from deid.versions.before import load
owner = {{"save": KeyStore, "rename": type(Path())}}[{step!r}]
real = getattr(owner, {step!r})
def then_die(*given, **named):
    real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, {step!r}, then_die)
clinic, first = Hospital(Path(sys.argv[1])), Path(sys.argv[2])
parent = load(first, clinic.public_key, clinic.keys.store)
engine.run(clinic.recipe(same.RECIPE), clinic.source, clinic.out, clinic.keys, now=same.NOW, before=parent)
"""
    words = [sys.executable, "-c", code, str(clinic.root), str(first.snapshot)]
    done = subprocess.run(words, check=False, capture_output=True, cwd=Path.cwd(), env={**os.environ})
    assert done.returncode == -signal.SIGKILL, done.stderr
    made = again(clinic, first)
    assert verify(made.snapshot, clinic.public_key) == made.manifest
    assert not clinic.keys.storage.of(made.manifest).missing(made.manifest)
    assert not list(clinic.out.glob(".*"))
