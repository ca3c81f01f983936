"""The sample of a snapshot's frames of images."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "frame_sample",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("min_recall", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("population", sa.JSON(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("estimate", sa.JSON(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_frame_sample_snapshot_id"),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name="fk_frame_sample_closed_by"),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_frame_sample"),
    )
    op.create_table(
        "frame_sample_case",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("missed", sa.JSON(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("judged_at", MOMENT, nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["frame_sample.snapshot_id"], name="fk_frame_sample_case_snapshot_id"),
        sa.ForeignKeyConstraint(["judged_by"], ["account.id"], name="fk_frame_sample_case_judged_by"),
        sa.PrimaryKeyConstraint("snapshot_id", "number", name="pk_frame_sample_case"),
    )
