"""Drills on the running log: the sequencer's process is killed, time passes, the clock is set.

Entries are those of people at work; the sequencer is the process that an installation runs. Only the clocks of the
portal are stopped, so that a minute passes when the drill says so.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from audit.canonical import decode
from audit.reader import LogReader
from audit.tables import audit_entry
from enclave.policy.log_health import ALARM_S, CANARY_S, RELEASES_STOP_S, Trouble
from enclave.portal.log_watch import CLOCK_S, LogWatch
from enclave.queries import log_health
from tests.enclave.clocks import Clocks
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_flows import state, vote
from tests.enclave.portal.test_log_watch import told
from tests.enclave.portal.world import ROOT, TABLE, Browser, World


class Serving:
    """The sequencer of an enclave as a process of its own."""

    def __init__(self, world: World) -> None:
        self._world, self._process = world, None

    def start(self) -> None:
        settings = self._world.settings
        command = [sys.executable, "-m", "audit.serve", settings.url, settings.log, settings.keys / "log.key"]
        self._process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until it has published all that is committed."""
        end = time.monotonic() + 120
        while self.behind():
            assert self._process.poll() is None, "the sequencer ended"
            assert time.monotonic() < end, "the sequencer publishes nothing"
            time.sleep(0.05)

    def behind(self) -> int:
        with self._world.store.read() as session:
            there = session.scalar(select(func.count()).select_from(audit_entry))
        return there - log_health.published(self._world.settings.log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def sequencer(world: World) -> Iterator[Serving]:
    made = Serving(world)
    made.start()
    yield made
    made.kill()


def look(world: World) -> set[Trouble]:
    world.portal.watch.look(world.portal)
    return set(world.portal.watch.troubles)


def released(world: World) -> str:
    request = world.submit({"표2.csv": TABLE.encode()})
    for checker in ("dahye", "woojin"):
        answer = vote(world, checker, request)
        assert answer.status_code == 303, answer.text
    made = state(world, request).release
    assert made is not None
    return made.id


def hand_over(receiver: Browser, release_id: str) -> tuple[int, str]:
    answer = receiver.form(f"/releases/{release_id}/hand-over", code=receiver.world.code("mina"))
    return answer.status_code, answer.text


def test_a_killed_sequencer_stops_nobody_is_told_after_a_minute_and_stops_releases_after_ten(
    world: World, clocks: Clocks, sequencer: Serving
) -> None:
    first = released(world)
    clocks.go_on(60)  # the checkers' next codes
    second = released(world)
    receiver = world.browser("mina")
    assert look(world) == set()
    sequencer.catch_up()
    sequencer.kill()
    # People go on working: what they do is committed, and nobody signs it.
    worker = world.browser("jiwoo")
    assert sequencer.behind() > 0
    clocks.go_on(ALARM_S - 1)
    assert look(world) == set()
    assert "서명이 늦어지고 있습니다" not in receiver.get(f"{ROOT}/").text
    clocks.go_on(1)
    assert Trouble.BEHIND in look(world)
    page = receiver.get(f"{ROOT}/").text
    assert "서명이 늦어지고 있습니다" in page
    assert faults(Page(page)) == []
    assert "signing them is late" in worker.get(f"{ROOT}/?lang=en").text
    # A portal that starts only now knows it from the entries' own times.
    fresh = LogWatch(world.settings)
    fresh.look(world.portal)
    assert Trouble.BEHIND in fresh.troubles
    clocks.go_on(RELEASES_STOP_S - ALARM_S - 1)
    assert Trouble.RELEASES_STOPPED not in look(world)
    assert hand_over(receiver, first)[0] == 200
    clocks.go_on(CANARY_S)
    assert Trouble.RELEASES_STOPPED in look(world)
    status, said = hand_over(receiver, second)
    assert (status, "서명되지 않아" in said) == (503, True)
    (refused,) = [each for each in told(world, "release.hand-over") if each["outcome"] == "failed"]
    assert (refused["object"]["id"], refused["reason"]["code"]) == (second, "log.behind")
    sequencer.start()
    clocks.go_on(CANARY_S)
    assert look(world) == set()
    assert hand_over(receiver, second)[0] == 200
    alarms = [(each["object"]["id"], each["outcome"]) for each in told(world, "log.alarm")]
    for trouble in (Trouble.BEHIND, Trouble.RELEASES_STOPPED, Trouble.CANARY):
        assert [outcome for name, outcome in alarms if name == trouble.value][-2:] == ["failed", "done"]
    assert "서명이 늦어지고 있습니다" not in receiver.get(f"{ROOT}/").text


def test_who_sets_the_clock_back_hides_no_sequencer_that_stands_still(
    world: World, clocks: Clocks, sequencer: Serving
) -> None:
    look(world)
    sequencer.catch_up()
    sequencer.kill()
    world.browser("jiwoo")
    look(world)
    clocks.put(-3600)
    clocks.go_on(ALARM_S)
    assert {Trouble.BEHIND, Trouble.CLOCK} <= look(world)


@pytest.mark.parametrize("seconds", [3600, -3600, 1.5, -1.5])
def test_a_clock_that_was_set_is_an_entry_and_an_alarm_at_once(world: World, clocks: Clocks, seconds: float) -> None:
    look(world)
    before = len(told(world, "log.clock"))
    clocks.go_on(5)
    clocks.put(seconds)
    assert Trouble.CLOCK in look(world)
    (entry,) = told(world, "log.clock")[before:]
    assert (entry["outcome"], entry["details"]["jumped_ms"]) == ("failed", seconds * 1000)
    # No lasting trouble: the next hourly look finds it right.
    clocks.go_on(CLOCK_S)
    assert Trouble.CLOCK not in look(world)


def test_the_clock_is_an_entry_every_hour_and_a_canary_every_minute(world: World, clocks: Clocks) -> None:
    seen = []
    for seconds in (0, CANARY_S - 1, 1, CLOCK_S - CANARY_S - 1, 1):
        clocks.go_on(seconds)
        look(world)
        seen.append((len(told(world, "log.canary")), len(told(world, "log.clock"))))
    assert seen == [(1, 1), (1, 1), (2, 1), (3, 1), (3, 2)]


def test_entries_keep_the_order_of_their_commits_whatever_the_clock_says(
    world: World, clocks: Clocks, sequencer: Serving
) -> None:
    before = log_health.published(world.settings.log)
    for seconds in (0, -86_400, 172_800, -5):
        clocks.put(seconds)
        world.browser("jiwoo")
        look(world)
    sequencer.catch_up()
    with world.store.read() as session:
        committed = list(session.scalars(select(audit_entry.c.id).order_by(audit_entry.c.position)))
    reader = LogReader(world.settings.log)
    published = [decode(data)["id"] for _, data in reader.entries(before, reader.size - 1)]
    assert published == committed[before:]
    assert sorted(published) != published
