"""The import lane: uploads, what approved imports laid out, sets of packages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from enclave.model.base import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    verdict = sa.Enum("PASS", "WARN", "BLOCK", native_enum=False, length=32)
    op.create_table(
        "import_upload",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("verdict", verdict, nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("uploaded_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_import_upload_account_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_import_upload_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_upload"),
    )
    op.create_index("ix_import_upload_project_id_account_id", "import_upload", ["project_id", "account_id"])
    op.create_index("ix_import_upload_uploaded_at", "import_upload", ["uploaded_at"])
    _arrivals()
    op.create_table(
        "package_set",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("tree_sha256", sa.Text(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_package_set_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_package_set"),
    )
    op.create_index("ix_package_set_project_id_made_at", "package_set", ["project_id", "made_at"])


def _arrivals() -> None:
    op.create_table(
        "import_arrival",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tree_sha256", sa.Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("arrived_at", Moment(), nullable=False),
        sa.Column("recalled_at", Moment(), nullable=True),
        sa.Column("recall_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_import_arrival_project_id"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_import_arrival_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_arrival"),
        sa.UniqueConstraint("request_id", name="uq_import_arrival_request_id"),
    )
    op.create_index("ix_import_arrival_project_id_arrived_at", "import_arrival", ["project_id", "arrived_at"])
