"""The ledger: of which measure a population is, and for how few people it was compared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("ledger_group", sa.Column("measure", sa.Text(), nullable=False, server_default="persons"))
    op.add_column("ledger_group", sa.Column("smallest", sa.Integer(), nullable=False, server_default="10"))
