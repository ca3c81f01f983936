"""What is watched over by itself: the log's rules once a Korean day, overdue periods and incidents (R81, R88)."""

from __future__ import annotations

from enclave import clock
from enclave.actor import Actor
from enclave.commands import incident, logreview
from enclave.portal.parts import Portal
from enclave.queries import incident as incidents
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


def note_late_incidents(portal: Portal) -> None:
    """Record each incident of which the authority was not told within 72 hours, once."""
    now, system = clock.now(), Actor.system()
    for incident_id in incidents.late(portal.store, now=now):
        incident.note_late(portal.store, system, incident_id=incident_id, now=now)
