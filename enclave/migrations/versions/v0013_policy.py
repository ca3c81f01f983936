"""Policies as data: texts by hash, versions of providers, what replays showed, what rounds were checked under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# A text is written once: rounds that were decided name it by its hash for good.
SAID = "rows of policy_text cannot be changed or removed"
SQLITE = (
    f"CREATE TRIGGER policy_text_no_update BEFORE UPDATE ON policy_text BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
    f"CREATE TRIGGER policy_text_no_delete BEFORE DELETE ON policy_text BEGIN SELECT RAISE(ABORT, '{SAID}'); END",
)
POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION policy_text_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAID}'; END $$"
    ),
    (
        "CREATE TRIGGER policy_text_no_change BEFORE UPDATE OR DELETE ON policy_text "
        "FOR EACH ROW EXECUTE FUNCTION policy_text_refuse()"
    ),
)


def upgrade() -> None:
    """Make the tables, and the column of the round."""
    op.create_table(
        "policy_text",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_policy_text"),
    )
    statements = SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL
    for statement in statements:
        op.execute(statement)
    _versions()
    op.create_table(
        "policy_replay",
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("flips", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["provider_policy.id"], name="fk_policy_replay_policy_id"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_policy_replay_request_id"),
        sa.PrimaryKeyConstraint("policy_id", "request_id", "round", name="pk_policy_replay"),
    )
    op.add_column("request_round", sa.Column("policy_parts", sa.JSON(), nullable=True))


def _versions() -> None:
    op.create_table(
        "provider_policy",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_by", sa.Text(), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_provider_policy_organisation_id"),
        sa.ForeignKeyConstraint(["sha256"], ["policy_text.sha256"], name="fk_provider_policy_sha256"),
        sa.ForeignKeyConstraint(["proposed_by"], ["account.id"], name="fk_provider_policy_proposed_by"),
        sa.ForeignKeyConstraint(["activated_by"], ["account.id"], name="fk_provider_policy_activated_by"),
        sa.PrimaryKeyConstraint("id", name="pk_provider_policy"),
        sa.UniqueConstraint("organisation_id", "number", name="uq_provider_policy_organisation_id_number"),
    )
    op.create_index("ix_provider_policy_state", "provider_policy", ["state"])
