"""What was on whose screen: one row when all of a file was shown to a checker. Nothing is ever removed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enclave.model.base import Base


class FileShown(Base):
    """All `units` (rows, lines, pictures) of a file were shown to one person; what was shown in part has no row."""

    __tablename__ = "file_shown"

    file_id: Mapped[str] = mapped_column(ForeignKey("output_file.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)
    shown_at: Mapped[datetime]
