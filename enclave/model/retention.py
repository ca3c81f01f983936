"""Purges of the log: who proposed, approved and ordered that the entries of signed periods give up their bytes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base
from enclave.model.logreview import ReviewPeriod


class LogPurge(Base):
    """One purge: the entries below leaf `end_leaf`, of the periods up to `period_id`; `entries` of them are new."""

    __tablename__ = "log_purge"

    id: Mapped[str] = mapped_column(primary_key=True)
    period_id: Mapped[str] = mapped_column(ForeignKey("review_period.id"))
    first_leaf: Mapped[int] = mapped_column(BigInteger)
    end_leaf: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    proposed_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    ordered_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    period: Mapped[ReviewPeriod] = relationship()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents
