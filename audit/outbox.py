"""The door into the log: one entry in the caller's own transaction, so that both happen or neither.

This is the only module of the room that reads the clock and takes random bits.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from audit.event import Event

# Crockford's base 32, as in ULID: sorts like the number, no I L O U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In the drivers' own words: compiling an expression would cost more than the insert.
_INSERT = {
    "qmark": "INSERT INTO audit_entry (id, bytes) VALUES (?, ?)",
    "pyformat": "INSERT INTO audit_entry (id, bytes) VALUES (%s, %s)",
}
# Where `guard` puts a list at the begin of each transaction and looks for ids at its end (key of Connection.info).
APPENDED = "audit.appended"


def append(connection: Connection, event: Event, *, observer: str) -> str:
    """Insert one entry into the caller's transaction and return its id (26 characters).

    `observer` names the process that saw the act. The entry becomes part of the log with the caller's commit and
    vanishes with its rollback. Raises `EntryError` when the entry would exceed 65,535 bytes.
    """
    now = datetime.now(UTC)  # noqa: TID251 - the one clock of the room
    entry_id = _new_id(now)
    at = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    data = event.entry(entry_id=entry_id, at=at, observer=observer)
    connection.exec_driver_sql(_INSERT[connection.dialect.paramstyle], (entry_id, data))
    if (appended := connection.info.get(APPENDED)) is not None:
        appended.append(entry_id)
    return entry_id


def taken_at(entry_id: str) -> datetime:
    """Return the moment (UTC, milliseconds) that an id begins with; 1970 for one that the outbox did not make."""
    number = 0
    for letter in entry_id[:10]:
        number = number << 5 | max(_ALPHABET.find(letter), 0)
    return _EPOCH + timedelta(milliseconds=number if number < 1 << 48 - 4 else 0)


def _new_id(now: datetime) -> str:
    """48 bits of milliseconds, 80 random bits: sibling hashes in a proof then reveal nothing guessable."""
    number = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
