"""What reviewers marked as missed in a sampled text, sealed, until it is handed over for the next run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("text_sample_case", sa.Column("marks_sealed", sa.LargeBinary(), nullable=True))
