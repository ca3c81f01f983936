"""Workspaces: one per person and project, with the signed plan of its last start and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.states import FreezeCause, WorkspaceState


class Workspace(Base):
    """One person's isolated environment in one project; `plan` is that of the last start, earlier ones are logged.

    `columns_sha256` names the approvals that the last start was allowed for; `grace_until` is set for what is frozen
    for good: then its volumes are destroyed.
    """

    __tablename__ = "workspace"
    __table_args__ = (UniqueConstraint("project_id", "account_id"), Index(None, "account_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    state: Mapped[WorkspaceState] = mapped_column(choice(WorkspaceState))
    plan: Mapped[bytes]
    plan_sha256: Mapped[str]
    plan_signature: Mapped[bytes]
    container_id: Mapped[str | None]
    reason: Mapped[str | None]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    columns_sha256: Mapped[str] = mapped_column(default="")
    freeze_cause: Mapped[FreezeCause | None] = mapped_column(choice(FreezeCause))
    frozen_at: Mapped[datetime | None]
    grace_until: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    account: Mapped[Account] = relationship()
