"""Incidents, and what was known of each at what time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SAID = "rows of incident_account cannot be changed or removed"


def upgrade() -> None:
    """Make the tables; the database refuses to change what was said."""
    _incident()
    _incident_account()
    for statement in _refusals():
        op.execute(statement)


def _refusals() -> tuple[str, ...]:
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        return (
            f"CREATE TRIGGER incident_account_no_update BEFORE UPDATE ON incident_account {refuse}",
            f"CREATE TRIGGER incident_account_no_delete BEFORE DELETE ON incident_account {refuse}",
        )
    return (
        (
            "CREATE OR REPLACE FUNCTION incident_account_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAID}'; END $$"
        ),
        (
            "CREATE TRIGGER incident_account_no_change BEFORE UPDATE OR DELETE ON incident_account "
            "FOR EACH ROW EXECUTE FUNCTION incident_account_refuse()"
        ),
    )


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=True),
        sa.Column("discovered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_by", sa.Text(), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("report_sha256", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name="fk_incident_ended_by"),
        sa.ForeignKeyConstraint(["filed_by"], ["account.id"], name="fk_incident_filed_by"),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"], name="fk_incident_opened_by"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_incident_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_state", "incident", ["state"], unique=False)


def _incident_account() -> None:
    op.create_table(
        "incident_account",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("circumstances", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name="fk_incident_account_author_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_account_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "number", name="pk_incident_account"),
    )
