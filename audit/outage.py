"""What keeps the sequencer from its work, as the machine's own log is told of it: once at first, then as an alarm.

The log of entries cannot be told, since it is what cannot be written; the portal's watch sees the checkpoint grow old.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)
ALARM_S = 60.0
_TELL_S = 60.0


class Outage:
    """One sequencer's trouble, if there is any. After `alarm_s` of it, an error is logged, and again every minute."""

    def __init__(self, alarm_s: float = ALARM_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._alarm_s, self._clock = alarm_s, clock
        self._since: float | None = None
        self._told = 0.0

    def note(self, what: str) -> None:
        """Note that a step failed."""
        now = self._clock()
        if self._since is None:
            self._since, self._told = now, now + self._alarm_s - _TELL_S
            logger.warning("%s; it is tried again", what)
        elif now - self._told >= _TELL_S:
            self._told = now
            logger.error("ALARM: nothing is published for %d s: %s", now - self._since, what)

    def over(self) -> None:
        """Note that a step was done."""
        if self._since is not None:
            logger.warning("published again after %d s", self._clock() - self._since)
            self._since = None
