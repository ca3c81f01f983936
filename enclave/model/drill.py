"""Attack drills: each run, what it found for each barrier, and the signed document of the whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.states import DrillReason, DrillState
from enclave.workspace.barriers.barrier import Outcome


class DrillRun(Base):
    """One drill, from the wish for it to its document; `document` is what was hashed and signed, byte for byte."""

    __tablename__ = "drill_run"
    __table_args__ = (Index(None, "requested_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[DrillReason] = mapped_column(choice(DrillReason))
    state: Mapped[DrillState] = mapped_column(choice(DrillState))
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    held: Mapped[int] = mapped_column(default=0)
    broken: Mapped[int] = mapped_column(default=0)
    untestable: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    document: Mapped[bytes | None]
    document_sha256: Mapped[str | None]
    document_signature: Mapped[bytes | None]

    results: Mapped[list[DrillResult]] = relationship(order_by="DrillResult.position")


class DrillResult(Base):
    """What one drill found for one barrier, in the order of the list."""

    __tablename__ = "drill_result"

    run_id: Mapped[str] = mapped_column(ForeignKey("drill_run.id"), primary_key=True)
    barrier_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome))
    evidence: Mapped[str]
