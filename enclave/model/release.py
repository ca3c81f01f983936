"""What leaves: the package of an approval, who received it, and who confirmed that a recalled one is gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.states import ReleaseState

if TYPE_CHECKING:
    from enclave.model.egress import AirlockRequest


class Release(Base):
    """The outside effect of an approval. `sealed_key` opens the package; it is destroyed by a recall."""

    __tablename__ = "release"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"), unique=True)
    receiver_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    state: Mapped[ReleaseState] = mapped_column(choice(ReleaseState))
    package_path: Mapped[str | None]
    package_sha256: Mapped[str | None]
    sealed_key: Mapped[bytes | None]
    failure: Mapped[str | None]
    requested_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None]

    request: Mapped[AirlockRequest] = relationship(back_populates="release")
    receiver: Mapped[Account] = relationship()
    receipts: Mapped[list[RecallReceipt]] = relationship(order_by="RecallReceipt.account_id")


class RecallReceipt(Base):
    """One receiver of a recalled release: told when, to answer until when, and what they answered (korea.md R72)."""

    __tablename__ = "recall_receipt"

    release_id: Mapped[str] = mapped_column(ForeignKey("release.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    told_at: Mapped[datetime]
    due_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    statement: Mapped[str | None]

    account: Mapped[Account] = relationship()
