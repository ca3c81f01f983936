"""What the door saw: executed code, what was shown, how much may be shown in a project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _taken_event()
    _executed_code()
    _display_text()
    _display_finding()
    _display_policy()


def _taken_event() -> None:
    op.create_table(
        "taken_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_taken_event"),
    )
    columns = ["workspace_id", "kind", "taken_at"]
    op.create_index("ix_taken_event_workspace_id_kind_taken_at", "taken_event", columns)
    op.create_index("ix_taken_event_taken_at", "taken_event", ["taken_at"])


def _executed_code() -> None:
    op.create_table(
        "executed_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_executed_code_project_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_executed_code_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_executed_code"),
        sa.UniqueConstraint("event_id", name="uq_executed_code_event_id"),
    )
    op.create_index("ix_executed_code_project_id_at", "executed_code", ["project_id", "at"])
    op.create_index("ix_executed_code_at", "executed_code", ["at"])


def _display_text() -> None:
    op.create_table(
        "display_text",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_display_text_workspace_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_display_text"),
    )
    op.create_index("ix_display_text_workspace_id_taken_at", "display_text", ["workspace_id", "taken_at"])


def _display_finding() -> None:
    op.create_table(
        "display_finding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_display_finding_workspace_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_display_finding_project_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_display_finding_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_display_finding"),
        sa.UniqueConstraint("event_id", name="uq_display_finding_event_id"),
    )
    op.create_index("ix_display_finding_project_id_at", "display_finding", ["project_id", "at"])
    op.create_index("ix_display_finding_at", "display_finding", ["at"])


def _display_policy() -> None:
    op.create_table(
        "display_policy",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_bytes", sa.BigInteger(), nullable=False),
        sa.Column("hour_bytes", sa.BigInteger(), nullable=False),
        sa.Column("day_bytes", sa.BigInteger(), nullable=False),
        sa.Column("hour_rows", sa.BigInteger(), nullable=False),
        sa.Column("day_rows", sa.BigInteger(), nullable=False),
        sa.Column("hour_pictures", sa.BigInteger(), nullable=False),
        sa.Column("day_pictures", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_display_policy_project_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_display_policy_organisation_id"),
        sa.ForeignKeyConstraint(["set_by"], ["account.id"], name="fk_display_policy_set_by"),
        sa.PrimaryKeyConstraint("id", name="pk_display_policy"),
        sa.UniqueConstraint("project_id", "organisation_id", name="uq_display_policy_project_id_organisation_id"),
    )
