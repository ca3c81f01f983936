"""Where an account is."""

from __future__ import annotations

from sqlalchemy.orm import Session

from enclave.model.desk import Seat
from enclave.policy.desk import Place
from enclave.store import Store


def seat_of(store: Store, account_id: str) -> Place | None:
    """Return where the account is, None if it has never been anywhere."""
    with store.read() as session:
        return load_seat(session, account_id)


def load_seat(session: Session, account_id: str) -> Place | None:
    """Return the seat in this transaction."""
    found = session.get(Seat, account_id)
    return Place(found.address, found.browser, found.since) if found else None
