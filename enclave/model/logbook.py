"""What people asked the log: questions by their hash, filters they keep, exports they took. The log names hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base
from enclave.model.people import Account


class LogQuestion(Base):
    """A question as it was asked, under the SHA-256 by which entries name it. Written once."""

    __tablename__ = "log_question"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    asked: Mapped[dict[str, str]] = mapped_column(JSON)


class LogFilterKept(Base):
    """A question that a person keeps under a name of their own."""

    __tablename__ = "log_filter"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    asked: Mapped[dict[str, str]] = mapped_column(JSON)
    kept_at: Mapped[datetime]


class LogExport(Base):
    """Entries that left as a file: which, under which checkpoint, why, and the file's hash once it is complete.

    `size`: entries under the checkpoint. `account_id` is null for whoever holds the machine. Without `ended_at` it is
    under way; with it and without `sha256` it broke off.
    """

    __tablename__ = "log_export"
    __table_args__ = (Index(None, "asked_at"), Index(None, "ended_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    form: Mapped[str]
    asked: Mapped[dict[str, str]] = mapped_column(JSON)
    reason_code: Mapped[str]
    reason: Mapped[str]
    checkpoint: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]

    account: Mapped[Account | None] = relationship()
