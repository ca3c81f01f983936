"""Which of several projects a person wants to open a workspace in: remembered from the portal's click to the hub's ask.

A wish, not a right: the command decides about the start whatever stands here, and only about the person's own
projects. The hub cannot carry it, because what a browser sends to the hub is not believed.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

GOOD_FOR = timedelta(minutes=10)


class Choices:
    """The last choice of each person, for ten minutes."""

    def __init__(self) -> None:
        self._all: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def note(self, login: str, project_id: str, now: datetime) -> None:
        """Remember a choice; it replaces an earlier one."""
        with self._lock:
            self._all = {who: kept for who, kept in self._all.items() if now - kept[1] < GOOD_FOR}
            self._all[login] = (project_id, now)

    def of(self, login: str, now: datetime) -> str | None:
        """Return the project chosen within ten minutes, or None. It stays: a failed start may be tried again."""
        with self._lock:
            project_id, at = self._all.get(login, ("", now))
        return project_id if project_id and now - at < GOOD_FOR else None
