"""Data sets, and the frozen, signed versions of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.model.base import Base, choice
from enclave.model.people import Organisation
from enclave.states import SnapshotState


class Dataset(Base):
    """A governed collection of one providing organisation; `id` is a slug and the folder under /data."""

    __tablename__ = "dataset"

    id: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    title_ko: Mapped[str]
    title_en: Mapped[str]
    description: Mapped[str]
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    snapshots: Mapped[list[Snapshot]] = relationship(order_by="Snapshot.published_at", back_populates="dataset")


class Snapshot(Base):
    """One frozen version; `id` is the SHA-256 of the bytes in `manifest`, `path` its folder on this machine."""

    __tablename__ = "snapshot"
    __table_args__ = (Index(None, "dataset_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    path: Mapped[str]
    manifest: Mapped[bytes]
    state: Mapped[SnapshotState] = mapped_column(choice(SnapshotState))
    received_by: Mapped[str | None]
    received_at: Mapped[datetime | None]
    # Until it is offered: who put it on record, and when.
    published_by: Mapped[str]
    published_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdraw_reason: Mapped[str | None]
    # What runs with a withdrawn snapshot runs on until it ends by itself; False: it is stopped at once.
    running_stay: Mapped[bool] = mapped_column(default=False, server_default=false())

    dataset: Mapped[Dataset] = relationship(back_populates="snapshots")
