"""What providers ask of the airlock: policies by their hash, who put them into force, and what their replay showed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Organisation
from enclave.states import PolicyState


class PolicyText(Base):
    """A policy in its canonical spelling, kept under its SHA-256. Written once; read back through `document.named`."""

    __tablename__ = "policy_text"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class ProviderPolicy(Base):
    """One version of one provider's policy. Version 1 is the policy of the house and has no row."""

    __tablename__ = "provider_policy"
    __table_args__ = (UniqueConstraint("organisation_id", "number"), Index(None, "state"))

    id: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("policy_text.sha256"))
    state: Mapped[PolicyState] = mapped_column(choice(PolicyState))
    reason: Mapped[str]
    proposed_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    replayed_at: Mapped[datetime | None]
    activated_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    kept: Mapped[PolicyText] = relationship()
    replays: Mapped[list[PolicyReplay]] = relationship(order_by="PolicyReplay.request_id, PolicyReplay.round")


class PolicyReplay(Base):
    """What one decided round would have been under a proposed policy.

    `basis` is the hash of the strictest combination that it was replayed with: once another provider's policy has
    changed, it is another one, and the round is replayed again. `outcome`: `enclave.policy.provider.flips.Outcome`.
    """

    __tablename__ = "policy_replay"

    policy_id: Mapped[str] = mapped_column(ForeignKey("provider_policy.id"), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    basis: Mapped[str]
    flips: Mapped[bool]
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
    replayed_at: Mapped[datetime]
