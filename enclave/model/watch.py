"""What the gate saw in workspaces: executed code (sealed), shown texts that wait for a search, findings, limits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enclave.model.base import Base


class TakenEvent(Base):
    """One event of the gate that is recorded: its id here is what makes a redelivery nothing.

    `single`: it has an entry of its own, and is not only counted in one. Old rows go (`commands.watch.KEPT`).
    """

    __tablename__ = "taken_event"
    __table_args__ = (Index(None, "workspace_id", "kind", "taken_at"), Index(None, "taken_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str]
    kind: Mapped[str]
    single: Mapped[bool]
    taken_at: Mapped[datetime]


class ExecutedCode(Base):
    """Code that somebody had a workspace execute; `sealed` is its text, sealed for `code:<id>`.

    Project and account are unknown (None) for a workspace this database does not know: the evidence stays.
    """

    __tablename__ = "executed_code"
    __table_args__ = (Index(None, "project_id", "at"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    workspace_id: Mapped[str]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    source: Mapped[str]
    sha256: Mapped[str]
    characters: Mapped[int]
    sealed: Mapped[bytes]


class DisplayText(Base):
    """A text that was shown and waits to be searched for identifiers, sealed for `display:<event id>`; then it goes."""

    __tablename__ = "display_text"
    __table_args__ = (Index(None, "workspace_id", "taken_at"),)

    event_id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    taken_at: Mapped[datetime]
    at: Mapped[datetime]
    mime: Mapped[str]
    sha256: Mapped[str]
    characters: Mapped[int]
    sealed: Mapped[bytes]


class DisplayFinding(Base):
    """Identifiers found in a shown text: kinds with counts in `kinds` (`PHONE:3 NAME:1`), masked samples sealed.

    `sealed` is a JSON list of masked samples, sealed for `finding:<id>`; no value is kept anywhere.
    """

    __tablename__ = "display_finding"
    __table_args__ = (Index(None, "project_id", "at"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    found_at: Mapped[datetime]
    kinds: Mapped[str]
    sha256: Mapped[str]
    characters: Mapped[int]
    sealed: Mapped[bytes]


class DisplayPolicy(Base):
    """How much one providing organisation lets a project show each person; of several the strictest counts."""

    __tablename__ = "display_policy"
    __table_args__ = (UniqueConstraint("project_id", "organisation_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    set_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    set_at: Mapped[datetime]
    reason: Mapped[str]
    message_bytes: Mapped[int] = mapped_column(BigInteger)
    content_bytes: Mapped[int] = mapped_column(BigInteger)
    hour_bytes: Mapped[int] = mapped_column(BigInteger)
    day_bytes: Mapped[int] = mapped_column(BigInteger)
    hour_rows: Mapped[int] = mapped_column(BigInteger)
    day_rows: Mapped[int] = mapped_column(BigInteger)
    hour_pictures: Mapped[int] = mapped_column(BigInteger)
    day_pictures: Mapped[int] = mapped_column(BigInteger)
