"""What came in: files as they were uploaded and checked, what an approved import laid out, sets of packages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.airlock.report import Verdict
from enclave.model.base import Base, choice
from enclave.model.egress import AirlockRequest


class Upload(Base):
    """One uploaded file in quarantine, with what our checker said of it; `sha256` was fixed while it arrived."""

    __tablename__ = "import_upload"
    __table_args__ = (Index(None, "project_id", "account_id"), Index(None, "uploaded_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    report: Mapped[str]
    uploaded_at: Mapped[datetime]


class Arrival(Base):
    """What an approved import became: files under /imports/<name> named by `tree_sha256`, or (empty) packages."""

    __tablename__ = "import_arrival"
    __table_args__ = (Index(None, "project_id", "arrived_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"), unique=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    tree_sha256: Mapped[str]
    files: Mapped[int]
    arrived_at: Mapped[datetime]
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None]

    request: Mapped[AirlockRequest] = relationship()


class PackageSet(Base):
    """What a project's workspaces mount under /packages from then on; the newest of a project counts."""

    __tablename__ = "package_set"
    __table_args__ = (Index(None, "project_id", "made_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    tree_sha256: Mapped[str]
    lock: Mapped[str]
    made_at: Mapped[datetime]
