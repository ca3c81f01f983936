"""Somebody who hangs, as those know it who ask them: one at a time tries again, and nobody else waits.

Pure but for its lock; for a database, a container engine, the hub.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Silence:
    """Whether whoever is asked was silent a moment ago. `again_s`: how long nobody asks then."""

    def __init__(self, again_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._again_s, self._clock = again_s, clock
        self._lock = threading.Lock()
        self._until = 0.0

    def may_ask(self) -> bool:
        """Return whether to ask now; who is let through in a silence holds the others back meanwhile."""
        with self._lock:
            if self._clock() < self._until:
                return False
            if self._until:
                # As long as most tries take (to a database: a ping that is not answered, and a new connection). One
                # that takes longer, or never says how it went, holds nobody back for ever.
                self._until = self._clock() + 3 * self._again_s
            return True

    def began(self) -> None:
        """Note that it was waited for in vain."""
        with self._lock:
            self._until = self._clock() + self._again_s

    def ended(self) -> None:
        """Note that it answered, or refused."""
        self._until = 0.0
