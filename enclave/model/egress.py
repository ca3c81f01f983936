"""Requests to let files through the airlock, in either direction: rounds, groups, files by hash, and what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from enclave.airlock.report import Severity, Verdict
from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.model.policy import PolicyText
from enclave.model.project import Project
from enclave.model.release import Release
from enclave.model.rerun import Rerun
from enclave.model.review import Comment, ConflictOfInterest, Review
from enclave.model.workspace import Workspace
from enclave.states import Direction, FileDecision, FileRole, RequestState


class AirlockRequest(Base):
    """One request. `content_sha256` names exactly the files of `round`; votes are cast for both. A draft has round 0.

    The table keeps the name it got when there was only one direction.
    """

    __tablename__ = "egress_request"
    __table_args__ = (
        UniqueConstraint("requester_id", "idempotency_key"),
        Index(None, "state", "submitted_at"),
        Index(None, "project_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[Direction] = mapped_column(choice(Direction))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    requester_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    receiver_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    state: Mapped[RequestState] = mapped_column(choice(RequestState))
    round: Mapped[int]
    content_sha256: Mapped[str]
    purpose: Mapped[str]
    context: Mapped[str]
    # korea.md R45, as `enclave.commands.details.Details` writes it.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What was typed and not yet submitted: `enclave.commands.drafts`.
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    project: Mapped[Project] = relationship()
    workspace: Mapped[Workspace | None] = relationship()
    requester: Mapped[Account] = relationship(foreign_keys=[requester_id])
    receiver: Mapped[Account] = relationship(foreign_keys=[receiver_id])
    rounds: Mapped[list[RequestRound]] = relationship(order_by="RequestRound.round")
    groups: Mapped[list[RequestGroup]] = relationship(order_by="RequestGroup.position")
    files: Mapped[list[OutputFile]] = relationship(order_by="OutputFile.position")
    reviews: Mapped[list[Review]] = relationship(order_by="Review.decided_at")
    comments: Mapped[list[Comment]] = relationship(order_by="Comment.made_at")
    conflicts: Mapped[list[ConflictOfInterest]] = relationship(order_by="ConflictOfInterest.declared_at")
    release: Mapped[Release | None] = relationship(back_populates="request")
    reruns: Mapped[list[Rerun]] = relationship(order_by=(Rerun.asked_at, Rerun.id), viewonly=True)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class RequestRound(Base):
    """One turn of a request: what was asked, how many reviewers it needs and why, its clock, and how it ended.

    `reviewers_needed` is what the policy said when it was submitted; the votes are counted by the policy of this round,
    whatever is in force when they are cast.
    """

    __tablename__ = "request_round"
    __table_args__ = (Index(None, "ended_at", "escalate_at"),)

    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    content_sha256: Mapped[str]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[str]
    purpose: Mapped[str]
    context: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    reviewers_needed: Mapped[int]
    need_reasons: Mapped[list[str]] = mapped_column(JSON)
    # The hash of the strictest combination of what the providers ask, and by provider the version each had; what was
    # submitted before policies were kept has neither.
    policy_version: Mapped[str | None]
    policy_parts: Mapped[dict[str, str] | None] = mapped_column(JSON)
    due_at: Mapped[datetime]
    escalate_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    first_review_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[RequestState | None] = mapped_column(choice(RequestState))

    submitter: Mapped[Account | None] = relationship(
        primaryjoin=lambda: foreign(RequestRound.submitted_by) == Account.id, viewonly=True
    )
    policy: Mapped[PolicyText | None] = relationship(
        primaryjoin=lambda: foreign(RequestRound.policy_version) == PolicyText.sha256, viewonly=True
    )


class RequestGroup(Base):
    """Files of one round that share their context and the controls that were applied to them."""

    __tablename__ = "request_group"
    __table_args__ = (UniqueConstraint("request_id", "round", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    context: Mapped[str]
    controls: Mapped[str]


class OutputFile(Base):
    """One file of one round, as it lies in quarantine; `name` comes from a workspace and is never trusted.

    `outcome` is set when the round is decided: only `approved` outputs leave. `report` is the checker's whole report;
    `rules_sha256` names the rules it was made with, `carried_from` the earlier file whose report was taken over.
    """

    __tablename__ = "output_file"
    __table_args__ = (UniqueConstraint("request_id", "round", "name"), Index(None, "sha256"))

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    group_id: Mapped[str | None] = mapped_column(ForeignKey("request_group.id"))
    round: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[FileRole] = mapped_column(choice(FileRole))
    kind: Mapped[str]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    columns: Mapped[int | None] = mapped_column(BigInteger)
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    # Whether our own computation from the snapshot gave every number of it.
    recomputed: Mapped[bool]
    recipe: Mapped[str]
    code: Mapped[str]
    description: Mapped[str]
    statistic: Mapped[str]
    subjects: Mapped[int | None] = mapped_column(BigInteger)
    smallest_cell: Mapped[int | None] = mapped_column(BigInteger)
    report: Mapped[str | None]
    rules_sha256: Mapped[str]
    carried_from: Mapped[str | None]
    outcome: Mapped[FileDecision | None] = mapped_column(choice(FileDecision))
    checked_at: Mapped[datetime]

    group: Mapped[RequestGroup | None] = relationship()
    findings: Mapped[list[FileFinding]] = relationship(order_by="FileFinding.position")


class FileFinding(Base):
    """One rule that one file hit; `sample` is masked by the checker. `repairs`: what would mend it, as ids."""

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
    repairs: Mapped[list[str]] = mapped_column(JSON)
