"""Taking in what the gate saw, every second: fetch, record, and only then let the gate forget.

What was shown waits a little for more of it, so that a running cell is a few entries and not a hundred. An event that
cannot be recorded as what it is gets an entry that says so: nothing may block those behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit.errors import AuditError
from enclave import clock
from enclave.commands import watch
from enclave.errors import Conflict, EnclaveError, Unavailable
from enclave.gate.events import GateEvent
from enclave.portal.parts import Portal

LOG = logging.getLogger("ansim.portal.intake")
LIMIT = 200
# Batches in one turn: the other chores wait for us.
TURNS = 10
PATIENCE = timedelta(seconds=15)


def take_events(portal: Portal) -> int:
    """Record what waits at the gate; returns how many events were settled. A gate that is away is asked again later."""
    settled = 0
    for _ in range(TURNS):
        try:
            events = portal.gate.events(LIMIT)
        except Unavailable:
            break
        if not events or _may_wait(events, clock.now()):
            break
        _record(portal, events)
        portal.gate.settle(each.id for each in events)
        settled += len(events)
    return settled


def _may_wait(events: Sequence[GateEvent], now: datetime) -> bool:
    return len(events) < LIMIT and not watch.is_pressing(events) and now - events[0].at < PATIENCE


def _record(portal: Portal, events: Sequence[GateEvent]) -> None:
    try:
        watch.take(portal.store, portal.vault, events=events, now=clock.now())
    except (Unavailable, Conflict):
        raise  # nothing was recorded, nothing is settled: all of them come again
    except (EnclaveError, AuditError, ValueError, TypeError):
        LOG.exception("a batch of %d events cannot be recorded; each by itself", len(events))
        for event in events:
            _record_one(portal, event)


def _record_one(portal: Portal, event: GateEvent) -> None:
    try:
        watch.take(portal.store, portal.vault, events=[event], now=clock.now())
    except (Unavailable, Conflict):
        raise
    except (EnclaveError, AuditError, ValueError, TypeError) as error:
        code = getattr(error, "code", "event.malformed")
        LOG.exception("event %s cannot be recorded as what it is", event.id)
        watch.bury(portal.store, event=event, code=str(code), now=clock.now())
