"""Screens lock by themselves, stay locked over a restart, and open only when the gate is told."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from enclave.gate.door.screens import FILE, Screens
from enclave.workspace.plan import WorkspacePlan

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
IDLE = 10


def a_plan(**changes: object) -> WorkspacePlan:
    plan = WorkspacePlan(
        workspace_id="w-1", project_id="p-1", account_id="a-1", login="mina", image_id="sha256:" + "0" * 64,
        mounts=(), expires_at=NOW.replace(microsecond=0), seat="203.0.113.7", idle_minutes=IDLE,
    )  # fmt: skip
    return replace(plan, **changes)  # type: ignore[arg-type]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w-1").mkdir()
    return tmp_path


def test_a_screen_without_a_hand_locks_after_its_idle_time_and_not_before(folder: Path, clock: Clock) -> None:
    screens = Screens(folder, clock)
    screens.begin(a_plan())
    clock.now += timedelta(minutes=IDLE, seconds=-1)
    assert not screens.of("w-1").locked
    clock.now += timedelta(seconds=1)
    assert screens.of("w-1").locked


def test_a_hand_on_a_locked_screen_opens_nothing(folder: Path, clock: Clock) -> None:
    screens = Screens(folder, clock)
    screens.begin(a_plan())
    screens.lock("w-1")
    screens.touch("w-1")
    assert screens.of("w-1").locked
    assert Screens(folder, clock).of("w-1").locked, "also after a restart"


def test_a_new_start_does_not_open_a_locked_screen_and_takes_the_new_seat(folder: Path, clock: Clock) -> None:
    screens = Screens(folder, clock)
    screens.begin(a_plan())
    screens.lock("w-1")
    screens.begin(a_plan(seat="203.0.113.8"))
    assert (screens.of("w-1").locked, screens.of("w-1").seat) == (True, "203.0.113.8")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"locked": 0}', '{"locked": false, "active_at": "never", "seat": "", "idle_minutes": 10}',
             '{"locked": false, "active_at": "2026-11-28T09:00:00", "seat": "", "idle_minutes": 10}'])  # fmt: skip
def test_what_cannot_be_read_is_locked(folder: Path, clock: Clock, text: str) -> None:
    (folder / "w-1" / FILE).write_text(text)
    assert Screens(folder, clock).of("w-1").locked


def test_a_workspace_the_gate_knows_nothing_of_is_locked(folder: Path, clock: Clock) -> None:
    assert Screens(folder, clock).of("w-2").locked


def test_a_clock_that_is_put_back_does_not_keep_a_screen_open(folder: Path, clock: Clock) -> None:
    screens = Screens(folder, clock)
    screens.begin(a_plan())
    clock.now -= timedelta(hours=3)
    assert screens.of("w-1").locked


def test_a_screen_that_cannot_be_written_down_is_locked_all_the_same(folder: Path, clock: Clock) -> None:
    screens = Screens(folder, clock)
    screens.begin(a_plan())
    (folder / "w-1" / FILE).unlink()
    (folder / "w-1").rmdir()
    screens.lock("w-1")
    assert screens.of("w-1").locked
    with pytest.raises(OSError, match="w-1"):
        screens.unlock("w-1", "203.0.113.7")
    assert screens.of("w-1").locked, "what cannot be kept is not opened"


class Sitting(RuleBasedStateMachine):
    """Hands, clocks, locks and restarts in any order, against the plain rule."""

    @initialize(minutes=st.integers(1, 30))
    def begin(self, minutes: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "w-1").mkdir()
        self.clock, self.minutes = Clock(), minutes
        self.screens = Screens(self.folder, self.clock)
        self.screens.begin(a_plan(idle_minutes=minutes))
        self.open, self.hand = True, NOW

    def _settle(self) -> None:
        self.open = self.open and self.clock.now - self.hand < timedelta(minutes=self.minutes)

    @rule(seconds=st.integers(0, 2_000))
    def wait(self, seconds: int) -> None:
        self.clock.now += timedelta(seconds=seconds)
        self._settle()
        # The gate's sweep writes down what has run out.
        if self.screens.of("w-1").locked:
            self.screens.lock("w-1")
            self.open = False

    @rule()
    def touch(self) -> None:
        self.screens.touch("w-1")
        if self.open:
            self.hand = self.clock.now

    @rule()
    def lock(self) -> None:
        self.screens.lock("w-1")
        self.open = False

    @rule()
    def unlock(self) -> None:
        self.screens.unlock("w-1", "203.0.113.7")
        self.open, self.hand = True, self.clock.now

    @rule()
    def restart(self) -> None:
        self.screens = Screens(self.folder, self.clock)
        # It may have lost the last few seconds of a hand, never a lock.
        kept = json.loads((self.folder / "w-1" / FILE).read_text())
        self.hand = datetime.fromisoformat(kept["active_at"])
        self._settle()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @invariant()
    def never_open_without_right(self) -> None:
        if hasattr(self, "screens"):
            assert self.screens.of("w-1").locked == (not self.open)


TestSitting = Sitting.TestCase
TestSitting.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
