"""Organisations, accounts, and which role was granted to whom, by whom, when and why."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.roles import Role


class OrganisationKind(StrEnum):
    """What an organisation is to the enclave."""

    OPERATOR = "operator"
    PROVIDER = "provider"
    STARTUP = "startup"
    REVIEWER = "reviewer"


class Organisation(Base):
    """A hospital, a company, a review body; `id` is a slug."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[OrganisationKind] = mapped_column(choice(OrganisationKind))
    created_at: Mapped[datetime]


class Account(Base):
    """One person. The name lives here and nowhere in the log; `login` is the hub's user name."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    password_hash: Mapped[str]
    totp_sealed: Mapped[bytes | None]
    # Time step (30 s since 1970) of the last accepted code: a code is good once (RFC 6238 §5.2).
    totp_last_step: Mapped[int] = mapped_column(default=0)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ends_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    grants: Mapped[list[AccountRole]] = relationship(foreign_keys="AccountRole.account_id")


class AccountRole(Base):
    """One grant of a role; kept after its end (korea.md R14)."""

    __tablename__ = "account_role"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    role: Mapped[Role] = mapped_column(choice(Role))
    reason: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    ends_on: Mapped[date | None]
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]
