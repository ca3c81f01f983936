"""The watch over the log: canaries read back, how far signing is behind, disks, clock, and what pages show of it.

A few looks every five seconds; what pages show is what the last look found, so that no page asks for it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.note import VerifierKey
from enclave import clock
from enclave.commands import log_watch as commands
from enclave.errors import EnclaveError
from enclave.policy.log_health import CANARY_S, USUAL_S, Canary, Facts, Trouble, is_clock_wrong, mark, troubles
from enclave.queries import log_health
from enclave.settings import Settings
from enclave.store import Store
from enclave.timekeeping import Timekeeper

if TYPE_CHECKING:
    from enclave.portal.parts import Portal

LOG = logging.getLogger("ansim.portal.log")
CLOCK_S = 3600
# How often an alarm that goes on is told to the machine's own log, where a monitoring system listens.
TELL_S = 60


@dataclass(frozen=True)
class Seen:
    """One trouble: since when, and what of it is recorded."""

    since: datetime
    told_at: float
    recorded: bool = False


class LogWatch:
    """What one portal knows of its log. `look` is a chore; the rest only reads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keeper = Timekeeper(settings.ntp_server)
        self.facts = Facts()
        self._canary_due = self._clock_due = 0.0
        self._stuck: tuple[int, float] | None = None
        self._marks: dict[str, int] = {}
        self._seen: dict[Trouble, Seen] = {}

    @property
    def troubles(self) -> Mapping[Trouble, datetime]:
        """What is wrong now, and since when."""
        return {trouble: seen.since for trouble, seen in self._seen.items()}

    def look(self, portal: Portal) -> None:
        """Look at everything once, record what is due, and raise or end alarms."""
        try:
            self._look_at_log(portal)
            self.facts = replace(self.facts, writable=True)
        except EnclaveError as error:
            # Alarms begin at once: while nothing can be recorded nothing can be done.
            LOG.error("the log cannot be written: %s", error.code)  # noqa: TRY400 - a state of the world, no defect
            self.facts = replace(self.facts, writable=False)
        self.facts = replace(self.facts, disks=disks(self._settings), waiting_acts=portal.emergency.waiting())
        self._alarm(portal.store)

    def _look_at_log(self, portal: Portal) -> None:
        log, store = self._settings.log, portal.store
        portal.emergency.remember(log_health.running(store))
        with store.read() as session:
            missing, rights = log_health.unprotected(session), log_health.too_wide(session, self._settings)
            size, oldest = log_health.published(log), log_health.oldest_waiting(session, log)
        behind = self._behind_s(size, oldest)
        self.facts = replace(self.facts, behind_s=behind, missing=missing, rights=rights)
        if clock.steady() >= self._canary_due:
            self._send_canary(store)
        self._look_at_clock(store)
        self._look_at_disks(store)

    def _behind_s(self, size: int, oldest: datetime | None) -> float:
        """Return how long the published size has not moved although something waits, or the oldest that waits has."""
        if oldest is None:
            self._stuck = None
            return 0.0
        steady = clock.steady()
        if self._stuck is None or size != self._stuck[0]:
            self._stuck = (size, steady)
        # The entry's own time tells what was before we began; the steady clock what a clock set back would hide.
        waited = max(steady - self._stuck[1], (clock.now() - oldest).total_seconds())
        return waited if waited > USUAL_S else 0.0

    def _send_canary(self, store: Store) -> None:
        before = self.facts.canary
        if before.entry_id:
            before = Canary(before.entry_id, self._is_read_back(store, before.entry_id))
        entry_id = commands.canary(store, before=before, now=clock.now())
        self._canary_due = clock.steady() + CANARY_S
        self.facts = replace(self.facts, canary=Canary(entry_id, before.found))

    def _is_read_back(self, store: Store, entry_id: str) -> bool:
        with store.read() as session:
            return log_health.is_published(session, self._settings.log, _key(self._settings), entry_id)

    def _look_at_clock(self, store: Store) -> None:
        jumped = self._keeper.jumped_ms()
        if jumped or clock.steady() >= self._clock_due:
            reading = replace(self._keeper.reading(), jumped_ms=jumped)
            commands.clock(store, reading=reading, now=clock.now())
            self._clock_due = clock.steady() + CLOCK_S
            self.facts = replace(self.facts, clock_ok=not is_clock_wrong(reading))

    def _look_at_disks(self, store: Store) -> None:
        for place, percent in disks(self._settings).items():
            passed = mark(percent)
            if passed != self._marks.get(place, 0):
                commands.disk(store, place=place, percent=percent, passed=passed, now=clock.now())
                self._marks[place] = passed

    def _alarm(self, store: Store) -> None:
        now, steady, wrong = clock.now(), clock.steady(), troubles(self.facts)
        for trouble in sorted(wrong - set(self._seen)):
            self._seen[trouble] = Seen(now, steady - TELL_S)
        for trouble, seen in list(self._seen.items()):
            over = trouble not in wrong
            if steady - seen.told_at >= TELL_S or over:
                LOG.log(logging.INFO if over else logging.ERROR, "%s: %s", trouble, "over" if over else "ALARM")
                self._seen[trouble] = replace(seen, told_at=steady)
            self._record(store, trouble, over=over)

    def _record(self, store: Store, trouble: Trouble, *, over: bool) -> None:
        seen = self._seen[trouble]
        try:
            if over or not seen.recorded:
                commands.alarm(store, trouble=trouble, since=seen.since, over=over, now=clock.now())
            self._seen[trouble] = replace(seen, recorded=True)
            if over:
                del self._seen[trouble]
        except EnclaveError:
            # Recorded when it can be; the pages and the machine's own log say it meanwhile.
            return


def disks(settings: Settings) -> dict[str, int]:
    """Return how full the file systems are on which the log, the database and what is kept lie, in percent."""
    places = {"home": settings.home, "db": settings.db, "log": settings.log, "emergency": settings.emergency}
    found: dict[int, tuple[str, int]] = {}
    for name, path in places.items():
        if (percent := _percent(path)) is not None:
            found.setdefault(path.stat().st_dev, (name, percent))
    return dict(found.values())


def _percent(path: Path) -> int | None:
    try:
        told = os.statvfs(path)
    except OSError:
        return None
    used = told.f_blocks - told.f_bfree
    # As df(1) counts: of what those who are not root may use.
    return -(-100 * used // max(used + told.f_bavail, 1)) if told.f_blocks else None


def _key(settings: Settings) -> VerifierKey | None:
    path = settings.keys / "log.pub"
    try:
        return VerifierKey.parse(path.read_text().strip())
    except (OSError, AuditError):
        return None
