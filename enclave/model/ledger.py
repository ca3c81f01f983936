"""The ledger: who is behind every released number, kept for good, and the list of people that the numbers are over.

Populations are written when a file is submitted and count once `released_at` is set, in the transaction of the decision
that lets the file out. A row that counts is never changed nor removed, not even by a recall: people saw the number.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base


class LedgerHead(Base):
    """One data set's ledger: its row is locked by whoever compares and lets out; `version` counts the releases."""

    __tablename__ = "ledger_head"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    version: Mapped[int]


class LedgerSnapshot(Base):
    """One snapshot's people among those of its data set.

    `positions`: the place in the data set's list of each person, in the order of the snapshot's pseudonyms (uint32);
    `joined`: a digest of each person that this snapshot brought, in the list's order (8 bytes); both compressed.
    `people`: how many it holds; `until`: how long the list is with it.
    """

    __tablename__ = "ledger_snapshot"
    __table_args__ = (UniqueConstraint("dataset_id", "place"),)

    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    place: Mapped[int]
    people: Mapped[int]
    until: Mapped[int]
    positions: Mapped[bytes]
    joined: Mapped[bytes]


class LedgerGroup(Base):
    """Disjoint cells of one file's recipe, with the image that most comparisons need (`enclave.airlock.ledger.image`).

    `measure`: what was added up over the people. `compared_at` is the ledger's version that they were last compared
    with, for differences of fewer than `smallest` people.
    """

    __tablename__ = "ledger_group"
    __table_args__ = (Index(None, "dataset_id", "released_at"), Index(None, "request_id", "round"))

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    file_name: Mapped[str]
    measure: Mapped[str] = mapped_column(server_default="persons")
    smallest: Mapped[int] = mapped_column(server_default="10")
    model: Mapped[bool]
    loose: Mapped[bool]
    image: Mapped[bytes]
    compared_at: Mapped[int]
    submitted_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    cells: Mapped[list[LedgerCell]] = relationship(order_by="LedgerCell.position")


class LedgerCell(Base):
    """One cell: its label in the file, how many people, and which (a serialised roaring bitmap of list places)."""

    __tablename__ = "ledger_cell"

    group_id: Mapped[str] = mapped_column(ForeignKey("ledger_group.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[bytes]
