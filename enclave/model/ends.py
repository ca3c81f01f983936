"""How things end: keys of volumes, frozen projects, destruction, certificates, visits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.workspace import Workspace


class CertificateKind(StrEnum):
    """What a certificate certifies: 파기확인서 (korea.md R32), 이용확인서 (R34)."""

    DESTRUCTION = "destruction"
    USAGE = "usage"


class VolumeKey(Base):
    """The key of one volume, sealed by the vault; `key_id` is its public name. Destroyed, only the name is left."""

    __tablename__ = "volume_key"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    sealed: Mapped[bytes | None]
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class ProjectFreeze(Base):
    """One stop of a whole project; in force until it is lifted."""

    __tablename__ = "project_freeze"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    reason: Mapped[str]
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None]


class Destruction(Base):
    """The end of one workspace's volumes: wished for, keys gone, images gone; the certificate comes last."""

    __tablename__ = "destruction"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    keys_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    workspace: Mapped[Workspace] = relationship()


class Visit(Base):
    """One use of a workspace, from its start to its stop (korea.md R34)."""

    __tablename__ = "visit"
    __table_args__ = (Index(None, "account_id"), Index(None, "workspace_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    seat: Mapped[str]
    plan_sha256: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    gpu_seconds: Mapped[int] = mapped_column(default=0)

    project: Mapped[Project] = relationship()
    account: Mapped[Account] = relationship()


class Certificate(Base):
    """A signed certificate; `document` are the very bytes that were signed and `sha256` is their hash."""

    __tablename__ = "certificate"
    __table_args__ = (Index(None, "account_id"), Index(None, "project_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[CertificateKind] = mapped_column(choice(CertificateKind))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("visit.id"), unique=True)
    issued_at: Mapped[datetime]
    document: Mapped[bytes]
    signature: Mapped[bytes]
    sha256: Mapped[str]

    project: Mapped[Project] = relationship()
    witnesses: Mapped[list[CertificateWitness]] = relationship(order_by="CertificateWitness.signed_at")


class CertificateWitness(Base):
    """A second person's word on a certificate of destruction, signed like the certificate itself."""

    __tablename__ = "certificate_witness"

    certificate_id: Mapped[str] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    signed_at: Mapped[datetime]
    document: Mapped[bytes]
    signature: Mapped[bytes]
