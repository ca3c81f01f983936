"""The spool for many sockets at once: events that come together share one sync, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress

from enclave.errors import EnclaveError
from enclave.gate.events import Details
from enclave.gate.spool import Draft, Spool

LOG = logging.getLogger("ansim.gate.door")
TOGETHER = 64
# Notices that nobody waits for: this many of a kind, for each workspace, in each window; the rest are counted.
NOTICES, WINDOW_S = 30, 60


class Recorder:
    """Puts events in the spool. `record` is for what must not happen unrecorded, `notice` for what was refused."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._queue: list[tuple[Draft, asyncio.Future[str]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._told: Counter[tuple[str, str]] = Counter()
        self._window = -1.0
        self._notices: set[asyncio.Task[None]] = set()

    async def record(self, draft: Draft) -> str:
        """Return the event's id once it is kept. Raises `Unavailable` or `OSError`: it is not kept."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._queue.append((draft, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await future

    def notice(self, workspace_id: str, kind: str, details: Details) -> None:
        """Tell of something that was refused anyway; strangers can make these, so they are few and may be lost."""
        window = asyncio.get_running_loop().time() // WINDOW_S
        if window != self._window:
            self._window, before = window, self._told
            self._told = Counter()
            for (name, which), count in before.items():
                if count > NOTICES:
                    self._later(Draft(name, which, {"why": "more-of-this", "count": count - NOTICES}))
        self._told[workspace_id, kind] += 1
        if self._told[workspace_id, kind] <= NOTICES:
            self._later(Draft(workspace_id, kind, details))

    def _later(self, draft: Draft) -> None:
        task = asyncio.create_task(self._try(draft))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    async def _try(self, draft: Draft) -> None:
        try:
            await self.record(draft)
        except (EnclaveError, OSError) as error:
            LOG.warning("not recorded: %s of %s: %s", draft.kind, draft.workspace_id, error)

    async def _write(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:TOGETHER], self._queue[TOGETHER:]
            try:
                names = await asyncio.to_thread(self._spool.put_all, [draft for draft, _ in batch])
            except (EnclaveError, OSError, ValueError) as error:
                await self._one_by_one(batch, error)
                continue
            for (_, future), name in zip(batch, names, strict=True):
                if not future.done():
                    future.set_result(name)

    async def _one_by_one(self, batch: list[tuple[Draft, asyncio.Future[str]]], error: Exception) -> None:
        """One workspace's full share must not refuse what others put at the same moment."""
        for draft, future in batch:
            if future.done():
                continue
            if len(batch) == 1:
                future.set_exception(error)
                continue
            try:
                name = await asyncio.to_thread(self._spool.put_all, [draft])
            except (EnclaveError, OSError, ValueError) as own:
                future.set_exception(own)
            else:
                with suppress(asyncio.InvalidStateError):
                    future.set_result(name[0])
