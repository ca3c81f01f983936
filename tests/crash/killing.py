"""A process of ours that tells what it has done, killed with -9 in the middle of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.crash import forks


def told_until_killed(work: Callable[..., object], *arguments: str, after_s: float) -> list[tuple[str, str]]:
    """Run it and kill it so long after its first line; returns its whole lines of two words."""
    running, said = forks.telling(work, *arguments)
    with said:
        first = said.readline()
        time.sleep(after_s)
        running.kill()
        running.join()
        lines = (first + said.read()).splitlines()
    return [tuple(each.split()) for each in lines if each.count(" ") == 1]  # type: ignore[misc]
