"""The gate's own log: whoever stands outside chooses how often it warns, and the disk is everybody's."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from time import monotonic

MOST, WINDOW_S = 60, 60


class Quiet(logging.Filter):
    """Lets each kind of line about each workspace pass so many times a minute; the last of them says so."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock, self._window = clock, -1
        self._lines: Counter[tuple[str, str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether this line is written."""
        window = int(self._clock() // WINDOW_S)
        if window != self._window:
            self._window, self._lines = window, Counter()
        first = str(record.args[0])[:80] if isinstance(record.args, tuple) and record.args else ""
        mark = (record.name, str(record.msg), first)
        self._lines[mark] += 1
        if self._lines[mark] == MOST:
            record.msg = f"{record.msg} (more like this are left out for up to {WINDOW_S} s)"
        return self._lines[mark] <= MOST
