"""The ledger: who is behind every released number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_head",
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name="fk_ledger_head_dataset_id"),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_ledger_head"),
    )
    op.create_table(
        "ledger_snapshot",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.Column("positions", sa.LargeBinary(), nullable=False),
        sa.Column("joined", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name="fk_ledger_snapshot_dataset_id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_ledger_snapshot_snapshot_id"),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_ledger_snapshot"),
        sa.UniqueConstraint("dataset_id", "place", name="uq_ledger_snapshot_dataset_id_place"),
    )
    _groups()
    op.create_table(
        "ledger_cell",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["ledger_group.id"], name="fk_ledger_cell_group_id"),
        sa.PrimaryKeyConstraint("group_id", "position", name="pk_ledger_cell"),
    )


def _groups() -> None:
    op.create_table(
        "ledger_group",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("model", sa.Boolean(), nullable=False),
        sa.Column("loose", sa.Boolean(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("compared_at", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name="fk_ledger_group_dataset_id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_ledger_group_snapshot_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_ledger_group_project_id"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_ledger_group_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_group"),
    )
    op.create_index("ix_ledger_group_dataset_id_released_at", "ledger_group", ["dataset_id", "released_at"])
    op.create_index("ix_ledger_group_request_id_round", "ledger_group", ["request_id", "round"])
