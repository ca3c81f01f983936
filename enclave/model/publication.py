"""What has to be said and decided before a snapshot is offered, and the samples of it that people look at.

The rows are kept as long as the snapshot (korea.md R90). Originals are not: `sealed` is emptied when the review of the
sample is closed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.states import SampleState


class RiskReview(Base):
    """One version of the risk review (위험성 검토) of a snapshot; `sha256` is of its answers, which others vote on."""

    __tablename__ = "risk_review"
    __table_args__ = (UniqueConstraint("snapshot_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))
    number: Mapped[int]
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    sha256: Mapped[str]
    written_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    written_at: Mapped[datetime]

    author: Mapped[Account] = relationship()
    words: Mapped[list[AdequacyWord]] = relationship(order_by="AdequacyWord.said_at")


class AdequacyWord(Base):
    """One reviewer's word on adequacy (적정성 검토), or the asset owner's waiver of the review, on one risk review."""

    __tablename__ = "adequacy_word"
    __table_args__ = (UniqueConstraint("risk_review_id", "account_id"), Index(None, "account_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    risk_review_id: Mapped[str] = mapped_column(ForeignKey("risk_review.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    # The organisation at that moment: whoever moves later has not spoken for the new one.
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    waiver: Mapped[bool]
    adequate: Mapped[bool]
    reason: Mapped[str]
    said_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class Publication(Base):
    """The decision to offer a snapshot: the DRB's number and date, the period, on which risk review, by whom."""

    __tablename__ = "publication"

    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    risk_review_id: Mapped[str] = mapped_column(ForeignKey("risk_review.id"))
    drb_number: Mapped[str]
    drb_on: Mapped[date]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    decided_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime]

    risk_review: Mapped[RiskReview] = relationship()
    decider: Mapped[Account] = relationship()


class SampleRow:
    """What every sample has: how it was drawn, what it has to show, what it showed."""

    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    state: Mapped[SampleState] = mapped_column(choice(SampleState))
    seed: Mapped[str]
    size: Mapped[int]
    min_recall: Mapped[float]
    confidence: Mapped[float]
    # Cases in each stratum of the whole snapshot.
    population: Mapped[dict[str, int]] = mapped_column(JSON)
    drawn_at: Mapped[datetime]
    estimate: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]


class CaseRow:
    """What every sampled case has. `sealed` holds the original under the vault's key until the review is closed.

    `missed` counts by type of identifier what the reviewer found left; None until somebody has judged it.
    """

    snapshot_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str]
    stratum: Mapped[str]
    found: Mapped[int]
    # Read only by who looks at it: pictures are megabytes.
    sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    missed: Mapped[dict[str, int] | None] = mapped_column(JSON)
    note_sealed: Mapped[bytes | None]
    judged_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    judged_at: Mapped[datetime | None]


class TextSample(SampleRow, Base):
    """The sample of a snapshot's texts."""

    __tablename__ = "text_sample"

    cases: Mapped[list[TextSampleCase]] = relationship(order_by="TextSampleCase.number")


class TextSampleCase(CaseRow, Base):
    """One text of a sample, sealed with its masked form."""

    __tablename__ = "text_sample_case"
    __table_args__ = (ForeignKeyConstraint(["snapshot_id"], ["text_sample.snapshot_id"]),)

    # The very values that were missed, for the next run; emptied when they are handed over.
    marks_sealed: Mapped[bytes | None]


class FrameSample(SampleRow, Base):
    """The sample of a snapshot's frames of images."""

    __tablename__ = "frame_sample"

    cases: Mapped[list[FrameSampleCase]] = relationship(order_by="FrameSampleCase.number")


class FrameSampleCase(CaseRow, Base):
    """One frame of a sample: `frame` of `frames` (from 1) of a written file; sealed with what became of it.

    `why` is a code where it cannot be shown, "" where it can. `places` are where a reviewer saw what is left: kind, row
    and column in pixels of the frame; they stay, since whoever mends the run looks there.
    """

    __tablename__ = "frame_sample_case"
    __table_args__ = (ForeignKeyConstraint(["snapshot_id"], ["frame_sample.snapshot_id"]),)

    file: Mapped[str]
    frame: Mapped[int]
    frames: Mapped[int]
    why: Mapped[str]
    places: Mapped[list[list[Any]] | None] = mapped_column(JSON)
