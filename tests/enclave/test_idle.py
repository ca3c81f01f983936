"""Idle workspaces: what counts as use, and that a job that works is never closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.actor import Actor
from enclave.commands import ends, workspace
from enclave.errors import Conflict, Denied
from enclave.policy.idle import BUSY_SHARE, Activity, Watched, is_idle, watched
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_ends import opened

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTE_NS = 60 * 10**9


def after(looks: list[tuple[float, int | None, bool]], *, hours: int = 1) -> tuple[Watched, bool]:
    """Look every minute; each look is (share of a processor used since, minute of the last hand, has a GPU)."""
    known, cpu = None, 0
    for number, (share, hand, gpu) in enumerate(looks):
        cpu += int(share * MINUTE_NS)
        at = START + number * MINUTE
        known = watched(known, Activity(at, cpu, START + hand * MINUTE if hand is not None else None, gpu))
    assert known is not None
    return known, is_idle(known, hours)


@pytest.mark.parametrize(
    ("name", "look", "idle"),
    [
        ("nobody and nothing", (0.01, None, False), True),
        ("a working kernel", (0.5, None, False), False),
        ("just busy enough", (BUSY_SHARE + 0.001, None, False), False),
        ("a GPU that is held", (0.0, None, True), False),
    ],
)
def test_an_hour_of_the_same(name: str, look: tuple[float, int | None, bool], idle: bool) -> None:
    assert after([look] * 61)[1] is idle, name
    assert after([look] * 60)[1] is False


def test_a_hand_counts_from_when_it_was_there_and_one_in_the_future_does_not_keep_it_open() -> None:
    assert after([(0.0, 30, False)] * 90)[1] is False
    assert after([(0.0, 30, False)] * 91)[1] is True
    known, _ = after([(0.0, 100_000, False)] * 3)
    assert known.idle_since == known.last.at


def test_another_container_of_the_same_workspace_begins_anew() -> None:
    first = Watched(Activity(START, 10**12), START - timedelta(hours=3))
    assert watched(first, Activity(START + MINUTE, 10)).idle_since == START + MINUTE


def test_it_can_be_switched_off() -> None:
    assert after([(0.0, None, False)] * 500, hours=0)[1] is False


@given(st.lists(st.tuples(st.floats(0, 2), st.none() | st.integers(0, 400), st.booleans()), min_size=1, max_size=200))
def test_whatever_happened_in_the_last_hour_keeps_it_open(looks: list[tuple[float, int | None, bool]]) -> None:
    known, idle = after(looks)
    last = len(looks) - 1
    used = [
        number
        for number, (share, hand, gpu) in enumerate(looks)
        if share >= BUSY_SHARE + 1e-6 or gpu or (hand is not None and last - 60 < hand <= number)
    ]
    if any(number > last - 60 for number in used):
        assert not idle
    if idle:
        assert known.last.at - known.idle_since >= timedelta(hours=1)


def test_what_is_closed_for_idleness_says_so_and_can_be_opened_again(shared: Scene) -> None:
    made = shared.active()
    name = opened(shared, made)
    with pytest.raises(Denied):
        ends.cull(shared.store, shared.actor("operator"), workspace_id=name, idle_minutes=1, now=NOW)
    with shared.new_entries() as entries:
        seen = ends.cull(shared.store, Actor.system(), workspace_id=name, idle_minutes=241, now=NOW)
    assert (seen.state.value, seen.reason) == ("stopped", "workspace.idle")
    assert [(entry["action"], entry["details"]) for entry in entries] == [("workspace.cull", {"idle_minutes": 241})]
    with pytest.raises(Conflict):
        ends.cull(shared.store, Actor.system(), workspace_id=name, idle_minutes=1, now=NOW)
    workspace.mark_stopped(shared.store, Actor.system(), workspace_id=name, reason="poll", now=NOW)
    assert opened(shared, made) == name
