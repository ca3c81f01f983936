"""The review of the log: periods, findings and what was said about them, limits, plan, signed reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What people wrote about a finding, and what two of them signed, stays as it was.
KEPT = ("finding_text", "review_report")


def upgrade() -> None:
    """Make the tables, and have the database refuse changes where nothing may change."""
    _review_limits()
    _review_period()
    _review_plan()
    _review_finding()
    _review_report()
    _finding_text()
    for table in KEPT:
        for statement in _refusals(table):
            op.execute(statement)


def _refusals(table: str) -> tuple[str, ...]:
    said = f"rows of {table} cannot be changed or removed"
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
        return (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        )
    return (
        (
            f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
        ),
    )


def _review_limits() -> None:
    op.create_table(
        "review_limits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["activated_by"], ["account.id"], name="fk_review_limits_activated_by"),
        sa.ForeignKeyConstraint(["proposed_by"], ["account.id"], name="fk_review_limits_proposed_by"),
        sa.ForeignKeyConstraint(["sha256"], ["policy_text.sha256"], name="fk_review_limits_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_review_limits"),
        sa.UniqueConstraint("scope", "number", name="uq_review_limits_scope_number"),
    )


def _review_period() -> None:
    op.create_table(
        "review_period",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("first_leaf", sa.BigInteger(), nullable=False),
        sa.Column("plan_version", sa.Text(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("sign_days", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("reviewer_id", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approver_id", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_reason", sa.Text(), nullable=False),
        sa.Column("report_sha256", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["approver_id"], ["account.id"], name="fk_review_period_approver_id"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["account.id"], name="fk_review_period_reviewer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_period"),
        sa.UniqueConstraint("number", name="uq_review_period_number"),
    )


def _review_plan() -> None:
    op.create_table(
        "review_plan",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("sign_days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["account.id"], name="fk_review_plan_set_by"),
        sa.PrimaryKeyConstraint("number", name="pk_review_plan"),
    )


def _review_finding() -> None:
    op.create_table(
        "review_finding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("first_leaf", sa.BigInteger(), nullable=False),
        sa.Column("last_leaf", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("leaves", sa.JSON(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("limits_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_review_finding_account_id"),
        sa.ForeignKeyConstraint(["answered_by"], ["account.id"], name="fk_review_finding_answered_by"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_review_finding_asked_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_review_finding_decided_by"),
        sa.ForeignKeyConstraint(["period_id"], ["review_period.id"], name="fk_review_finding_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_finding"),
        sa.UniqueConstraint("key", name="uq_review_finding_key"),
    )
    op.create_index("ix_review_finding_account_id_state", "review_finding", ["account_id", "state"], unique=False)
    op.create_index("ix_review_finding_period_id", "review_finding", ["period_id"], unique=False)


def _review_report() -> None:
    op.create_table(
        "review_report",
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["review_period.id"], name="fk_review_report_period_id"),
        sa.PrimaryKeyConstraint("period_id", "source", "kind", name="pk_review_report"),
    )


def _finding_text() -> None:
    op.create_table(
        "finding_text",
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.String(32), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name="fk_finding_text_author_id"),
        sa.ForeignKeyConstraint(["finding_id"], ["review_finding.id"], name="fk_finding_text_finding_id"),
        sa.PrimaryKeyConstraint("finding_id", "number", name="pk_finding_text"),
    )
