"""The review of the access log: periods, findings, what people said about them, limits, plan, and signed reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.states import FindingState, PeriodState


class ReviewPlan(Base):
    """One version of the review's interval, as the internal plan gives it; the newest counts."""

    __tablename__ = "review_plan"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str]
    months: Mapped[int]
    sign_days: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    set_at: Mapped[datetime]


class ReviewLimits(Base):
    """One version of what counts as an anomaly, for one project or ("") the house; the newest activated counts."""

    __tablename__ = "review_limits"
    __table_args__ = (UniqueConstraint("scope", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("policy_text.sha256"))
    reason: Mapped[str]
    proposed_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    activated_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    activated_at: Mapped[datetime | None]


class ReviewPeriod(Base):
    """The leaves from `first_leaf` up to `size` (excluded), once it is closed under the signed `checkpoint`.

    `plan_version`, `months` and `sign_days` are what the plan said when the period began.
    """

    __tablename__ = "review_period"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[PeriodState] = mapped_column(choice(PeriodState))
    first_leaf: Mapped[int] = mapped_column(BigInteger)
    plan_version: Mapped[str]
    months: Mapped[int]
    sign_days: Mapped[int]
    started_at: Mapped[datetime]
    inspected_at: Mapped[datetime | None]
    late_told_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    checkpoint: Mapped[str | None]
    reviewer_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    reviewed_at: Mapped[datetime | None]
    approver_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    returned_reason: Mapped[str]
    report_sha256: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    findings: Mapped[list[ReviewFinding]] = relationship(
        order_by="(ReviewFinding.first_leaf, ReviewFinding.id)", back_populates="period"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class ReviewFinding(Base):
    """One anomaly. `key`: the same for the same anomaly, so that it is raised once; `limits_sha256`: found under.

    `account_id`: whose word is asked; None where an operator answers. `reason_code`: the confirmed reason of a
    download. `values` and `leaves` as `enclave.policy.logreview.hit.Hit` has them.
    """

    __tablename__ = "review_finding"
    __table_args__ = (Index(None, "period_id"), Index(None, "account_id", "state"))

    id: Mapped[str] = mapped_column(primary_key=True)
    period_id: Mapped[str] = mapped_column(ForeignKey("review_period.id"))
    key: Mapped[str] = mapped_column(unique=True)
    rule: Mapped[str]
    why: Mapped[str]
    project: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    first_leaf: Mapped[int] = mapped_column(BigInteger)
    last_leaf: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    leaves: Mapped[list[int]] = mapped_column(JSON)
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    limits_sha256: Mapped[str]
    state: Mapped[FindingState] = mapped_column(choice(FindingState))
    raised_at: Mapped[datetime]
    asked_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    reason_code: Mapped[str]
    version: Mapped[int] = mapped_column()

    period: Mapped[ReviewPeriod] = relationship(back_populates="findings")
    texts: Mapped[list[FindingText]] = relationship(order_by="FindingText.number")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form SQLAlchemy documents


class FindingText(Base):
    """What somebody wrote about a finding; `part`: asked, answered, accepted or escalated. Never changed or removed."""

    __tablename__ = "finding_text"

    finding_id: Mapped[str] = mapped_column(ForeignKey("review_finding.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[FindingState] = mapped_column(choice(FindingState))
    author_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str]
    made_at: Mapped[datetime]


class ReviewReport(Base):
    """The bytes of a signed report. `source`: the SHA-256 of its data, which was signed. Never changed or removed."""

    __tablename__ = "review_report"

    period_id: Mapped[str] = mapped_column(ForeignKey("review_period.id"), primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    data: Mapped[bytes] = mapped_column(LargeBinary)
