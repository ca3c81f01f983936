"""A workspace's meter on disk, so that neither a restart nor a crash of the gate gives a second allowance.

What is written is always a little more than what was counted; so most messages need no write, and after a crash the
sums are at most that little too high, never too low.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from enclave import whole
from enclave.gate.door.meter import Amount, Meter, Spent
from enclave.workspace.plan import Display, WorkspacePlan

LOG = logging.getLogger("ansim.gate.door")
AHEAD = Amount(256 << 10, 50, 5)
# Every so many bytes of the small ledger, too, a write.
SPARE_AHEAD = 1 << 20
# One text for the record counts at least so much of it: a write for every sixteen.
CODE_WRITES = 64 << 10
# Answers of which it is known that they are not new: which of so many comes again says a few bits.
SEEN = 1024


class Book:
    """The meter in use, with its file. Every method may raise `OSError`: then nothing was admitted."""

    def __init__(self, path: Path, limits: Display, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock
        self._meter = Meter(limits, _read(path))
        self._room, self._unwritten = Amount(), 0
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def now(self) -> datetime:
        """Return the moment by this book's clock."""
        return self._clock()

    def renew(self, limits: Display) -> None:
        """Let other limits hold from now on."""
        self._meter.limits = limits

    def spent(self, amount: Amount) -> Spent | None:
        """Say which limit this amount would go over, or None; counts nothing."""
        return self._meter.spent(amount, self._clock())

    def admit(self, amount: Amount) -> Spent | None:
        """Count one message as shown, or say which limit it would go over."""
        return self._admit(amount, self._meter.spent)

    def admit_file(self, amount: Amount) -> Spent | None:
        """Count one file as shown, or say which sum it would go over."""
        return self._admit(amount, self._meter.spent_sums)

    def _admit(self, amount: Amount, ask: Callable[[Amount, datetime], Spent | None]) -> Spent | None:
        now = self._clock()
        if spent := ask(amount, now):
            return spent
        if _over(amount, self._room):
            self._write(amount + AHEAD)
            self._room = amount + AHEAD
        self._room = Amount(
            self._room.bytes - amount.bytes, self._room.rows - amount.rows, self._room.pictures - amount.pictures
        )
        self._meter.add(amount, now)
        return None

    def admit_spare(self, size: int) -> bool:
        """Count bytes that a page needs to live; False if there have been too many in this hour."""
        self._often(size)
        return self._meter.admit_spare(size, self._clock())

    def admit_fresh(self, data: bytes) -> bool:
        """Count bytes of a page's life unless they are the same as lately; False: they must be counted as shown."""
        digest = hashlib.blake2b(data, digest_size=16).digest()
        if digest in self._seen:
            self._seen.move_to_end(digest)
            return True
        if not self._meter.admit_fresh(len(data), self._clock()):
            return False
        self._seen[digest] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return True

    def admit_code(self, size: int) -> bool:
        """Count one text for the record of code; False if there have been too many, or too much, in this hour."""
        self._often(size + CODE_WRITES)
        return self._meter.admit_code(size, self._clock())

    def figures(self) -> dict[str, Any]:
        """Return counts and limits, for pages."""
        return self._meter.figures(self._clock())

    def close(self) -> None:
        """Write the exact sums."""
        with suppress(OSError):
            self._write(Amount())
        self._room = Amount()

    def _often(self, size: int) -> None:
        self._unwritten += size
        if self._unwritten > SPARE_AHEAD:
            self._unwritten = 0
            self._write(self._room)

    def _write(self, ahead: Amount) -> None:
        whole.write(self._path, json.dumps(self._meter.state(ahead)).encode())


class Books:
    """The books of all workspaces, each beside its volumes."""

    def __init__(self, volumes: Path, clock: Callable[[], datetime]) -> None:
        self._volumes, self._clock = volumes, clock

    def open(self, plan: WorkspacePlan) -> Book:
        """Return a workspace's book with what was counted before; raises `OSError`."""
        return Book(self._volumes / plan.workspace_id / "meter.json", plan.display, self._clock)


def _over(amount: Amount, room: Amount) -> bool:
    return amount.bytes > room.bytes or amount.rows > room.rows or amount.pictures > room.pictures


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        LOG.exception("%s is broken: counting begins anew", path)
        return None
    return values
