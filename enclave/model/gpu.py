"""GPUs: what a project may ask for, the devices there are, and the leases, which are the queue as well."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enclave.gpu.devices import GpuKind, GpuProfile
from enclave.model.base import Base, choice
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.states import DeviceState, LeaseState


class GpuShare(Base):
    """The kind of device that one project may ask for; a project without a row may ask for none."""

    __tablename__ = "gpu_share"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    profile: Mapped[GpuProfile] = mapped_column(choice(GpuProfile))
    set_by: Mapped[str]
    set_at: Mapped[datetime]

    project: Mapped[Project] = relationship()


class GpuDevice(Base):
    """One whole device or slice that the driver named; `present` says whether it did at the last reading.

    `scrub_round` names the erasure that has to be done, or was done last, so that an old report counts for nothing.
    """

    __tablename__ = "gpu_device"

    uuid: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[GpuKind] = mapped_column(choice(GpuKind))
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    parent: Mapped[str]
    name: Mapped[str]
    profile: Mapped[str]
    present: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[DeviceState] = mapped_column(choice(DeviceState))
    scrub_round: Mapped[str]
    scrubbed_at: Mapped[datetime | None]
    reason: Mapped[str]


class GpuLease(Base):
    """One person's turn: waiting, held until `expires_at`, over. Times of a state it has not reached are empty.

    `plan_sha256` and `plan_until` are those of the last start that was given the device.
    """

    __tablename__ = "gpu_lease"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[GpuKind] = mapped_column(choice(GpuKind))
    minutes: Mapped[int] = mapped_column(Integer)
    state: Mapped[LeaseState] = mapped_column(choice(LeaseState))
    requested_at: Mapped[datetime]
    granted_at: Mapped[datetime | None]
    claim_by: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str]
    device_uuid: Mapped[str | None] = mapped_column(ForeignKey("gpu_device.uuid"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    plan_sha256: Mapped[str | None]
    plan_until: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    account: Mapped[Account] = relationship()
    device: Mapped[GpuDevice | None] = relationship()
    workspace: Mapped[Workspace | None] = relationship()


# The last word on the two promises, whatever the commands believe: one device has one tenant, one person one turn.
_TABLE = GpuLease.__table__
_HELD = _TABLE.c.state.in_(["granted", "ending"])
_OPEN = _TABLE.c.state.in_(["waiting", "granted", "ending"])
Index("uq_gpu_lease_device_held", _TABLE.c.device_uuid, unique=True, sqlite_where=_HELD, postgresql_where=_HELD)
Index("uq_gpu_lease_account_open", _TABLE.c.account_id, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_gpu_lease_state", _TABLE.c.state)
