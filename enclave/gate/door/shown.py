"""The text that a workspace showed, gathered so that few events carry it: at most 64 KiB or two seconds in one.

It is told after the fact, for a search for identifiers; if it cannot be told, nothing more is shown until it can.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from enclave.errors import EnclaveError
from enclave.gate.door.measure import TEXT, Seen
from enclave.gate.door.meter import Amount
from enclave.gate.door.recorder import Recorder
from enclave.gate.spool import Draft

LOG = logging.getLogger("ansim.gate.door")
WAIT_S, MOST = 2.0, 4 * TEXT


class Shown:
    """One workspace's gathering."""

    def __init__(self, workspace_id: str, recorder: Recorder) -> None:
        self._workspace_id, self._recorder = workspace_id, recorder
        self._parts: list[bytes] = []
        self._size = 0
        self._amount = Amount()
        self._kinds: set[str] = set()
        # Messages that were longer than what is kept of one: their ends are told as not searched.
        self._cut = 0
        self._telling: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self.failing = False

    async def add(self, seen: Seen, size: int) -> None:
        """Take in what one message showed; waits while much is still to be told."""
        self._amount += seen.amount(size)
        self._cut += seen.cut
        for kind, text in seen.texts:
            data = text.encode(errors="replace") + b"\n"
            self._parts.append(data)
            self._size += len(data)
            self._kinds.add(kind)
        if self._parts and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())
        if self._size >= TEXT:
            self._hurry.set()
        if self._size >= MOST and self._telling:
            await asyncio.wait([self._telling])

    async def close(self) -> None:
        """Tell the rest."""
        self._hurry.set()
        if self._telling:
            await asyncio.wait([self._telling])

    async def _tell(self) -> None:
        while self._parts:
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await self._hurry.wait()
            self._hurry.clear()
            for draft in self._drafts():
                try:
                    await self._recorder.record(draft)
                except (EnclaveError, OSError) as error:
                    if not self.failing:
                        LOG.warning("what was shown in %s cannot be told: %s", self._workspace_id, error)
                    self.failing = True
                else:
                    self.failing = False

    def _drafts(self) -> list[Draft]:
        data, kinds = b"".join(self._parts), self._kinds
        sums = {**self._amount.__dict__, "cut": self._cut}
        self._parts, self._size, self._amount, self._kinds, self._cut = [], 0, Amount(), set(), 0
        details = {"mime": ",".join(sorted(kinds))[:200], **sums}
        nothing = dict.fromkeys(sums, 0)
        pieces = _pieces(data)
        return [
            Draft(self._workspace_id, "display", details if index == 0 else {**details, **nothing}, piece)
            for index, piece in enumerate(pieces)
        ]


def _pieces(data: bytes) -> list[bytes]:
    """Cut at ends of lines where there are some, so that nothing that is searched for is cut in two."""
    found = []
    while len(data) > TEXT:
        end = data.rfind(b"\n", TEXT // 2, TEXT) + 1 or TEXT
        found.append(data[:end])
        data = data[end:]
    return [*found, data]
