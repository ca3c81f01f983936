"""How things end: keys of volumes, freezing and its grace, certificates, visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _workspace()
    _volume_key()
    _project_freeze()
    _destruction()
    _visit()
    _certificate()
    _certificate_witness()


def _workspace() -> None:
    for column in (
        sa.Column("columns_sha256", sa.Text(), nullable=False, server_default=""),
        sa.Column("freeze_cause", sa.String(32), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("workspace", column)
    # What was frozen before there were causes: its reason tells, and whatever else was somebody's own act.
    op.execute(
        "UPDATE workspace SET frozen_at = ended_at, freeze_cause = CASE reason WHEN 'project.ended' THEN 'project' "
        "WHEN 'account.ended' THEN 'account' ELSE 'incident' END WHERE state = 'frozen'"
    )


def _volume_key() -> None:
    op.create_table(
        "volume_key",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_volume_key_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "name", name="pk_volume_key"),
    )


def _project_freeze() -> None:
    op.create_table(
        "project_freeze",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_project_freeze_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_project_freeze"),
    )
    op.create_index("ix_project_freeze_project_id", "project_freeze", ["project_id"])


def _destruction() -> None:
    op.create_table(
        "destruction",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keys_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_destruction_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_destruction"),
    )


def _visit() -> None:
    op.create_table(
        "visit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("plan_sha256", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gpu_seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_visit_account_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_visit_project_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_visit_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
    )
    op.create_index("ix_visit_account_id", "visit", ["account_id"])
    op.create_index("ix_visit_workspace_id", "visit", ["workspace_id"])


def _certificate() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_certificate_account_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_certificate_project_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_certificate_visit_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_certificate_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate"),
        sa.UniqueConstraint("visit_id", name="uq_certificate_visit_id"),
    )
    op.create_index("ix_certificate_account_id", "certificate", ["account_id"])
    op.create_index("ix_certificate_project_id", "certificate", ["project_id"])


def _certificate_witness() -> None:
    op.create_table(
        "certificate_witness",
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_certificate_witness_account_id"),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_certificate_witness_certificate_id"),
        sa.PrimaryKeyConstraint("certificate_id", "account_id", name="pk_certificate_witness"),
    )
