"""The portal's own chores: each comes round, and one that fails does not stop the others."""

from __future__ import annotations

import threading
from typing import Any

from enclave.portal.chores import Chore, start


def test_a_chore_that_fails_is_tried_again_and_stops_no_other() -> None:
    failed, done, enough = [], [], threading.Event()

    def fails(_: Any) -> None:
        failed.append(1)
        raise ValueError("as expected")

    def works(_: Any) -> None:
        done.append(1)
        if len(done) >= 2 and len(failed) >= 2:
            enough.set()

    stop = start(None, [Chore("fails", 0, fails, "a"), Chore("works", 0, works, "a")])  # type: ignore[arg-type]
    assert enough.wait(10)
    stop.set()


def test_a_chore_that_failed_may_be_tried_again_sooner() -> None:
    tried, enough = [], threading.Event()

    def fails_twice(_: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise ValueError("as expected")
        enough.set()

    stop = start(None, [Chore("far", 3600, fails_twice, "a", again_s=0)])  # type: ignore[arg-type]
    assert enough.wait(10)
    stop.set()
    assert len(tried) == 3


def test_a_chore_that_hangs_holds_up_its_own_lane_alone() -> None:
    hung, done = threading.Event(), threading.Event()
    hangs = Chore("hangs", 0, lambda _: hung.wait(30), "slow")
    stop = start(None, [hangs, Chore("works", 0, lambda _: done.set(), "quick")])  # type: ignore[arg-type]
    assert done.wait(10)
    stop.set()
    hung.set()
