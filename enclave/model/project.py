"""Projects: the application, its people and their pledges, and the columns it may see."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.data import Snapshot
from enclave.model.people import Account, Organisation
from enclave.states import ColumnState, ProjectState


class LegalBasis(StrEnum):
    """On which ground of the Personal Information Protection Act the data may be used (korea.md R2)."""

    STATISTICS = "가명_통계"
    RESEARCH = "가명_과학적연구"
    ARCHIVE = "가명_공익기록"
    CONSENT = "동의"
    COMBINED = "결합정보"
    ANONYMOUS = "익명"
    AI_EXCEPTION = "AI특례"


class Project(Base):
    """An application and, once approved, the project itself; `version` guards against two hands at once."""

    __tablename__ = "project"
    __table_args__ = (Index(None, "lead_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    purpose: Mapped[str]
    legal_basis: Mapped[LegalBasis | None] = mapped_column(choice(LegalBasis))
    combination_approval: Mapped[str]
    expected_outputs: Mapped[str]
    ethics: Mapped[str]
    safety_plan: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    lead_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[ProjectState] = mapped_column(choice(ProjectState))
    state_reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    lead: Mapped[Account] = relationship()
    organisation: Mapped[Organisation] = relationship()
    members: Mapped[list[ProjectMember]] = relationship(order_by="ProjectMember.login")
    pledges: Mapped[list[Pledge]] = relationship(order_by="Pledge.signed_at")
    columns: Mapped[list[ProjectColumn]] = relationship(order_by="ProjectColumn.position", cascade="all, delete-orphan")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class ProjectMember(Base):
    """One named person of a project."""

    __tablename__ = "project_member"
    __table_args__ = (Index(None, "account_id"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    login: Mapped[str]
    added_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class Pledge(Base):
    """One person's pledge for one project, to one version of the text (korea.md R5)."""

    __tablename__ = "pledge"
    __table_args__ = (UniqueConstraint("project_id", "account_id", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    version: Mapped[str]
    text_sha256: Mapped[str]
    signed_at: Mapped[datetime]


class ProjectColumn(Base):
    """One column a project asks for, of one snapshot, and what its provider's steward said."""

    __tablename__ = "project_column"
    __table_args__ = (UniqueConstraint("project_id", "snapshot_id", "table_name", "column_name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    table_name: Mapped[str]
    column_name: Mapped[str]
    position: Mapped[int]
    state: Mapped[ColumnState] = mapped_column(choice(ColumnState))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    snapshot: Mapped[Snapshot] = relationship()
