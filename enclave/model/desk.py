"""Where each account is: one address and one browser at a time (korea.md R11, R28)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enclave.model.base import Base


class Seat(Base):
    """The place from which an account last proved itself; whatever it does, it does from there.

    `browser` is the hub's session there, hashed, or empty until a browser at this address has claimed the seat.
    """

    __tablename__ = "seat"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    address: Mapped[str]
    browser: Mapped[str]
    since: Mapped[datetime]
