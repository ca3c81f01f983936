"""What reviewers say about a round: votes, judgements, comments, conflicts of interest. Nothing is ever removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.states import Audience, Decision, FileVote


class Review(Base):
    """One checker's word on one round's bytes, with the three compulsory judgements (korea.md R46)."""

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
    # Why a blocked file may leave all the same; empty unless one is approved (korea.md R48).
    override_reason: Mapped[str]
    second_factor_at: Mapped[datetime]
    decided_at: Mapped[datetime]

    reviewer: Mapped[Account] = relationship()
    votes: Mapped[list[Vote]] = relationship()
    revisions: Mapped[list[ReviewRevision]] = relationship(order_by="ReviewRevision.number")


class Vote(Base):
    """One reviewer's word on one file, as it stands."""

    __tablename__ = "file_vote"

    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("output_file.id"), primary_key=True)
    vote: Mapped[FileVote] = mapped_column(choice(FileVote))


class ReviewRevision(Base):
    """What a review said before it was revised: `content` holds decision, texts and votes by file."""

    __tablename__ = "review_revision"

    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    replaced_at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class Comment(Base):
    """One remark on a round or on one of its groups. The database refuses to change or remove it."""

    __tablename__ = "request_comment"
    __table_args__ = (Index(None, "request_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    group_id: Mapped[str | None] = mapped_column(ForeignKey("request_group.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    audience: Mapped[Audience] = mapped_column(choice(Audience))
    text: Mapped[str]
    made_at: Mapped[datetime]

    author: Mapped[Account] = relationship()


class ConflictOfInterest(Base):
    """A checker's word that they should not judge this request, in any round."""

    __tablename__ = "conflict_of_interest"

    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    reason: Mapped[str]
    declared_at: Mapped[datetime]

    account: Mapped[Account] = relationship()
