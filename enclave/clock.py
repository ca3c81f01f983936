"""The only clock of the enclave. Commands and policies take `now` as an argument; doors call this."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC, with its time zone."""
    return datetime.now(UTC)  # noqa: TID251 - the one place
