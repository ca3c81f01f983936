"""How far the published log is behind what is committed, by the entries' own times: no clock is asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from audit import leaves
from audit.outbox import taken_at
from audit.tables import audit_entry, audit_leaf


def oldest_waiting(connection: Connection, size: int) -> datetime | None:
    """Return when the oldest entry was taken that is not among the `size` published ones; None when all are."""
    numbered = select(audit_leaf.c.entry_id).where(audit_leaf.c.leaf_index == size)
    entry_id = connection.scalar(numbered) or leaves.first_waiting(connection)
    return None if entry_id is None else taken_at(entry_id)


def lag_s(connection: Connection, size: int) -> float:
    """Return the seconds between the oldest entry that waits and the newest there is; 0.0 when none waits.

    Positive as well when the clock was set back in between: how long it has waited is not known then.
    """
    oldest = oldest_waiting(connection, size)
    newest = connection.scalar(select(audit_entry.c.id).order_by(audit_entry.c.position.desc()).limit(1))
    return abs((taken_at(newest) - oldest).total_seconds()) if oldest and newest else 0.0
