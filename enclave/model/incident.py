"""Incidents: when one was found, what is known of it, and when it was reported to the authority (korea.md R88)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.states import IncidentState


class IncidentKind(StrEnum):
    """What is thought to have happened: 유출등, 유출 가능성, 재식별."""

    LEAK = "leak"
    POSSIBLE = "possible"
    REIDENTIFIED = "reidentified"


class Incident(Base):
    """One incident. `discovered_at` starts the clock of the report; None as `opened_by`: the console."""

    __tablename__ = "incident"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[IncidentKind] = mapped_column(choice(IncidentKind))
    state: Mapped[IncidentState] = mapped_column(choice(IncidentState))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    discovered_at: Mapped[datetime]
    opened_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    opened_at: Mapped[datetime]
    late_told_at: Mapped[datetime | None]
    filed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    filed_at: Mapped[datetime | None]
    receipt: Mapped[str]
    report_sha256: Mapped[str | None]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str]
    version: Mapped[int] = mapped_column()

    opener: Mapped[Account | None] = relationship(foreign_keys=[opened_by])
    accounts: Mapped[list[IncidentAccount]] = relationship(order_by="IncidentAccount.number")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class IncidentAccount(Base):
    """What was known at one time, in the items of PIPA §34①; the newest counts. Never changed or removed.

    `subjects`: how many people are concerned, None while it is not known.
    """

    __tablename__ = "incident_account"

    incident_id: Mapped[str] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    items: Mapped[str]
    circumstances: Mapped[str]
    advice: Mapped[str]
    response: Mapped[str]
    contact: Mapped[str]
    subjects: Mapped[int | None]
    author_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]

    author: Mapped[Account | None] = relationship()
