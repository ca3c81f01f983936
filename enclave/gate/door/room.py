"""How much of one workspace's messages and answers may lie in the gate's memory: one tenant must not take all of it.

A notebook's answer may be large, a message from a page, too; hundreds of them, begun and never ended, would be the
memory of everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST = 128 << 20
# So much each socket may always hold.
LEAST = 64 << 10


@dataclass
class Room:
    """One workspace's share of memory, in bytes."""

    taken: int = 0

    @property
    def left(self) -> int:
        """How much may still be held."""
        return MOST - self.taken

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give a share that is empty again at the end."""
        made = Share(self)
        try:
            yield made
        finally:
            made.keep(0)


@dataclass
class Share:
    """What one answer or one end of a socket holds of it."""

    room: Room
    held: int = 0

    def keep(self, size: int) -> None:
        """Hold so much from now on."""
        self.room.taken += size - self.held
        self.held = size

    def limit(self, wanted: int) -> int:
        """Return how much a message may hold: what is wanted, or what is left, but never less than a little."""
        return min(wanted, max(LEAST, self.held + self.room.left))
