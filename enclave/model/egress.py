"""Requests to take files out: files by hash, findings, votes of this round, and the release itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.airlock.report import Severity, Verdict
from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.states import Decision, ReleaseState, RequestState


class EgressRequest(Base):
    """One request. `content_sha256` names exactly the files of `round`; votes are cast for both."""

    __tablename__ = "egress_request"
    __table_args__ = (
        UniqueConstraint("requester_id", "idempotency_key"),
        Index(None, "state", "submitted_at"),
        Index(None, "project_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    requester_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    receiver_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    state: Mapped[RequestState] = mapped_column(choice(RequestState))
    round: Mapped[int]
    content_sha256: Mapped[str]
    purpose: Mapped[str]
    context: Mapped[str]
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    project: Mapped[Project] = relationship()
    requester: Mapped[Account] = relationship(foreign_keys=[requester_id])
    receiver: Mapped[Account] = relationship(foreign_keys=[receiver_id])
    files: Mapped[list[OutputFile]] = relationship(order_by="OutputFile.position")
    reviews: Mapped[list[Review]] = relationship(order_by="Review.decided_at")
    release: Mapped[Release | None] = relationship(back_populates="request")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class OutputFile(Base):
    """One file of one round, as it lies in quarantine; `name` comes from a workspace and is never trusted."""

    __tablename__ = "output_file"
    __table_args__ = (UniqueConstraint("request_id", "round", "name"), Index(None, "sha256"))

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    columns: Mapped[int | None] = mapped_column(BigInteger)
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    checked_at: Mapped[datetime]

    findings: Mapped[list[FileFinding]] = relationship(order_by="FileFinding.position")


class FileFinding(Base):
    """One rule that one file hit; `sample` is masked by the checker."""

    __tablename__ = "file_finding"
    __table_args__ = (Index(None, "file_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("output_file.id"))
    position: Mapped[int]
    rule: Mapped[str]
    severity: Mapped[Severity] = mapped_column(choice(Severity))
    ko: Mapped[str]
    en: Mapped[str]
    place: Mapped[str]
    sample: Mapped[str]


class Review(Base):
    """One output checker's vote on one round's bytes, with the three compulsory judgements (korea.md R46)."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("request_id", "round", "reviewer_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    content_sha256: Mapped[str]
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    decision: Mapped[Decision] = mapped_column(choice(Decision))
    reason_code: Mapped[str]
    purpose_relation: Mapped[str]
    identifiability: Mapped[str]
    safety_measures: Mapped[str]
    second_factor_at: Mapped[datetime]
    decided_at: Mapped[datetime]

    reviewer: Mapped[Account] = relationship()


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

    request: Mapped[EgressRequest] = relationship(back_populates="release")
    receiver: Mapped[Account] = relationship()
