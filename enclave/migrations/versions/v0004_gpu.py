"""GPU leases and the queue for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _share()
    _device()
    _lease()
    _promises()


def _share() -> None:
    op.create_table(
        "gpu_share",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("profile", sa.String(32), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_gpu_share_project_id"),
        sa.PrimaryKeyConstraint("project_id", name="pk_gpu_share"),
    )


def _device() -> None:
    op.create_table(
        "gpu_device",
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("scrub_round", sa.Text(), nullable=False),
        sa.Column("scrubbed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_gpu_device"),
    )


def _lease() -> None:
    moments = ("granted_at", "claim_by", "expires_at", "warned_at", "ended_at", "plan_until")
    op.create_table(
        "gpu_lease",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in moments),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("device_uuid", sa.Text(), nullable=True),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("plan_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_gpu_lease_account_id"),
        sa.ForeignKeyConstraint(["device_uuid"], ["gpu_device.uuid"], name="fk_gpu_lease_device_uuid"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_gpu_lease_project_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_gpu_lease_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gpu_lease"),
    )
    op.create_index("ix_gpu_lease_state", "gpu_lease", ["state"])


def _promises() -> None:
    """One device has one tenant, one person one turn: kept by the database itself."""
    for name, column, states in (
        ("uq_gpu_lease_device_held", "device_uuid", ("granted", "ending")),
        ("uq_gpu_lease_account_open", "account_id", ("waiting", "granted", "ending")),
    ):
        where = sa.column("state").in_(states)
        op.create_index(name, "gpu_lease", [column], unique=True, sqlite_where=where, postgresql_where=where)
