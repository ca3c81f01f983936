"""Which files were shown to whom, all of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "file_shown",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["output_file.id"], name="fk_file_shown_file_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_file_shown_account_id"),
        sa.PrimaryKeyConstraint("file_id", "account_id", name="pk_file_shown"),
    )
