"""The order of the queue: least charged first, first come first served inside a project, and nobody starves."""

from __future__ import annotations

import heapq
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.gpu.devices import GpuKind
from enclave.gpu.fairness import Held, Wish, charged, expected, ordered
from tests.enclave.scene import NOW

WINDOW = timedelta(days=7)
SINCE = NOW - WINDOW


def wish(name: str, project: str, minute: int = 0, minutes: int = 60) -> Wish:
    return Wish(name, project, GpuKind.WHOLE, NOW + timedelta(minutes=minute), minutes)


def held(project: str, start_h: int, end_h: int) -> Held:
    return Held(project, NOW + timedelta(hours=start_h), NOW + timedelta(hours=end_h))


@pytest.mark.parametrize(
    ("wishes", "past", "order"),
    [
        ([wish("a", "p", 2), wish("b", "q", 1)], [], "ba"),
        ([wish("a", "p", 2), wish("b", "q", 1)], [held("q", -5, -4)], "ab"),
        # What was used before the window does not count any more.
        ([wish("a", "p", 2), wish("b", "q", 1)], [held("q", -300, -200)], "ba"),
        # Whoever holds a device until later is charged for it now.
        ([wish("a", "p", 2), wish("b", "q", 1)], [held("q", 0, 8)], "ab"),
        # Two projects take turns, however many one of them asked for first.
        ([wish("a", "p", 1), wish("b", "p", 2), wish("c", "p", 3), wish("d", "q", 4)], [], "adbc"),
        ([wish("a", "p", 1, 30), wish("b", "p", 2), wish("c", "q", 3, 120), wish("d", "q", 4)], [], "acbd"),
    ],
)
def test_the_order(wishes: list[Wish], past: list[Held], order: str) -> None:
    assert "".join(each.lease_id for each in ordered(wishes, past, SINCE)) == order


def test_only_what_lies_in_the_window_is_charged() -> None:
    assert charged([held("p", -170, -167), held("p", -1, 0)], SINCE) == {"p": 3600 + 3600}


def test_the_expected_moment_is_when_everybody_before_has_used_all_their_time() -> None:
    queue = [wish("a", "p", minutes=60), wish("b", "q", minutes=30), wish("c", "r")]
    free = [NOW + timedelta(minutes=10), NOW]
    found = expected(queue, free)
    assert found == [NOW, NOW + timedelta(minutes=10), NOW + timedelta(minutes=40)]
    assert expected(queue, []) == [None, None, None]


PROJECTS = st.sampled_from("pqrs")
WISHES = st.lists(st.tuples(PROJECTS, st.integers(0, 50), st.integers(15, 480)), max_size=12)
PAST = st.lists(st.tuples(PROJECTS, st.integers(-200, 5), st.integers(0, 30)), max_size=8)


@given(WISHES, PAST)
def test_nobody_is_lost_and_a_project_is_served_in_its_own_order(asked, past) -> None:
    wishes = [wish(f"w{i:02}", project, minute, length) for i, (project, minute, length) in enumerate(asked)]
    result = ordered(wishes, [held(project, start, start + length) for project, start, length in past], SINCE)
    assert sorted(result, key=lambda one: one.lease_id) == wishes
    for project in "pqrs":
        own = [(one.asked_at, one.lease_id) for one in result if one.project_id == project]
        assert own == sorted(own)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(15, 480)), min_size=1, max_size=60),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(-160, -20), st.integers(1, 20)), max_size=10),
)
def test_nobody_starves_whoever_keeps_coming(rivals, devices, past) -> None:
    """One project with a heavy past asks once; new projects without any past keep asking, each in its own hour.

    It is served at the latest when its past has left the window and everybody who asked before it has had their turn.
    """
    history = [held("old", start, start + length) for start, length in past]
    waiting = [Wish("old", "old", GpuKind.WHOLE, NOW, 60)]
    coming = sorted((NOW + timedelta(hours=hour), f"n{i}", minutes) for i, (hour, minutes) in enumerate(rivals))
    free = [NOW] * devices
    heapq.heapify(free)
    served = None
    while served is None:
        moment = heapq.heappop(free)
        while coming and (coming[0][0] <= moment or not waiting):
            asked_at, name, minutes = coming.pop(0)
            waiting.append(Wish(name, name, GpuKind.WHOLE, asked_at, minutes))
        following = ordered(waiting, history, moment - WINDOW)[0]
        waiting.remove(following)
        begin = max(moment, following.asked_at)
        end = begin + timedelta(minutes=following.minutes)
        history.append(Held(following.project_id, begin, end))
        heapq.heappush(free, end)
        served = begin if following.lease_id == "old" else None
    longest = timedelta(minutes=480)
    assert served <= NOW + WINDOW + longest
