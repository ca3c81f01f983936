"""Runs of events that are too many for a stretch of time. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from enclave.policy.logreview.line import Line


def runs(
    lines: Iterable[Line], within: timedelta, exceeds: Callable[[Sequence[Line]], bool]
) -> Iterator[tuple[Line, ...]]:
    """Yield each maximal run of lines in which some stretch of `within` exceeds; runs do not overlap.

    `lines` are of one thing, in order; `exceeds` is asked of the lines of one stretch, both ends included.
    """
    stretch: deque[Line] = deque()
    run: list[Line] = []
    for line in lines:
        stretch.append(line)
        while line.at - stretch[0].at > within:
            stretch.popleft()
        if exceeds(stretch):
            known = {each.index for each in run}
            if run and stretch[0].index > run[-1].index:
                yield tuple(run)
                run, known = [], set()
            run += [each for each in stretch if each.index not in known]
    if run:
        yield tuple(run)
