"""When it was last told outside that a period of the review is overdue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("review_period", sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True))
