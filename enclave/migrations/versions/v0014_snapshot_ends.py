"""When what runs with a withdrawn snapshot ends: at once, as until now, or at its next start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("snapshot", sa.Column("running_stay", sa.Boolean(), nullable=False, server_default=sa.false()))
