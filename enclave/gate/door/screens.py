"""The screens of all workspaces, kept beside their volumes (`volumes/<workspace>/screen.json`) over a restart.

What cannot be read is locked: opening needs the portal, which asks for a password and a code first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from enclave import whole
from enclave.gate.screen import Screen, screen_of
from enclave.workspace.plan import WorkspacePlan

FILE = "screen.json"
LOCKED = Screen(locked=True, active_at=datetime(1970, 1, 1, tzinfo=UTC), seat="", idle_minutes=10)
# After a crash the idle time may have begun this much earlier than it did: a screen locks sooner, never later.
KEPT_EVERY = timedelta(seconds=20)


class Screens:
    """Reads and writes screens; `clock` says what time it is."""

    def __init__(self, volumes: Path, clock: Callable[[], datetime]) -> None:
        self._volumes, self._clock = volumes, clock
        self._known: dict[str, Screen] = {}
        self._kept: dict[str, Screen] = {}

    def begin(self, plan: WorkspacePlan) -> None:
        """Take in a plan that is in force: a new workspace begins open, one that was here before keeps its lock."""
        fresh = Screen(locked=False, active_at=self._clock(), seat=plan.seat, idle_minutes=plan.idle_minutes)
        before = self.of(plan.workspace_id) if self._file(plan.workspace_id).exists() else fresh
        self._keep(plan.workspace_id, replace(before, seat=plan.seat, idle_minutes=plan.idle_minutes))

    def of(self, workspace_id: str) -> Screen:
        """Return a screen as it is at this moment; `locked` counts an idle time that has run out."""
        found = self._known.get(workspace_id) or self._read(workspace_id)
        self._known[workspace_id] = found
        return found if found.open_at(self._clock()) else replace(found, locked=True)

    def touch(self, workspace_id: str) -> None:
        """Note that a hand was there; on a locked screen it counts for nothing."""
        screen, now = self.of(workspace_id), self._clock()
        if screen.locked:
            return
        touched = replace(screen, active_at=now)
        self._known[workspace_id] = touched
        kept = self._kept.get(workspace_id)
        if kept is None or now - kept.active_at >= KEPT_EVERY:
            self._keep(workspace_id, touched)

    def lock(self, workspace_id: str) -> bool:
        """Lock it; returns whether it was not written down as locked before. Locks even if it cannot be kept."""
        before = self._known.get(workspace_id) or self._read(workspace_id)
        screen = replace(before, locked=True)
        self._known[workspace_id] = screen
        with suppress(OSError):  # in this process it is locked; the next one finds it idle or unreadable
            self._keep(workspace_id, screen)
        return not before.locked

    def unlock(self, workspace_id: str, seat: str) -> None:
        """Open it at this seat, as if a hand had just been there. Raises `OSError`: then it stays locked."""
        screen = replace(self.of(workspace_id), locked=False, active_at=self._clock(), seat=seat)
        self._keep(workspace_id, screen)

    def move(self, workspace_id: str, seat: str) -> None:
        """Let it be used from this address alone; what is locked stays locked. Raises `OSError`."""
        self._keep(workspace_id, replace(self.of(workspace_id), seat=seat))

    def forget(self, workspace_id: str) -> None:
        """Let go of a workspace that is no more."""
        self._known.pop(workspace_id, None)
        self._kept.pop(workspace_id, None)

    def _keep(self, workspace_id: str, screen: Screen) -> None:
        whole.write(self._file(workspace_id), json.dumps(screen.as_json()).encode())
        self._known[workspace_id] = self._kept[workspace_id] = screen

    def _read(self, workspace_id: str) -> Screen:
        try:
            return screen_of(json.loads(self._file(workspace_id).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return LOCKED

    def _file(self, workspace_id: str) -> Path:
        return self._volumes / workspace_id / FILE
