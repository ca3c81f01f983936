"""The review of the log by itself: its rules once a Korean day, and a word when a period is overdue (korea.md R81)."""

from __future__ import annotations

from enclave import clock
from enclave.actor import Actor
from enclave.commands import logreview
from enclave.portal.parts import Portal
from enclave.queries import logreview as query
from enclave.queries.review_window import Published


def turn(portal: Portal) -> None:
    """Run the rules if they did not run today, and record each overdue period once."""
    now, system = clock.now(), Actor.system()
    due = query.due(portal.store, now=now)
    if due.inspect:
        logreview.inspect(portal.store, Published.of(portal.settings), system, now=now)
    for period_id in due.late:
        logreview.note_late(portal.store, system, period_id=period_id, now=now)
