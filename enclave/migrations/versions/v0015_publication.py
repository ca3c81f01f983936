"""What comes before a snapshot is offered: risk review, words on adequacy, the decision, the sample of texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the columns that say who put a snapshot on record."""
    op.add_column("snapshot", sa.Column("received_by", sa.Text(), nullable=True))
    op.add_column("snapshot", sa.Column("received_at", MOMENT, nullable=True))
    op.create_table(
        "risk_review",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_risk_review_snapshot_id"),
        sa.ForeignKeyConstraint(["written_by"], ["account.id"], name="fk_risk_review_written_by"),
        sa.PrimaryKeyConstraint("id", name="pk_risk_review"),
        sa.UniqueConstraint("snapshot_id", "number", name="uq_risk_review_snapshot_id_number"),
    )
    op.create_table(
        "adequacy_word",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("risk_review_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("waiver", sa.Boolean(), nullable=False),
        sa.Column("adequate", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["risk_review_id"], ["risk_review.id"], name="fk_adequacy_word_risk_review_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_adequacy_word_account_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_adequacy_word_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_adequacy_word"),
        sa.UniqueConstraint("risk_review_id", "account_id", name="uq_adequacy_word_risk_review_id_account_id"),
    )
    op.create_index("ix_adequacy_word_account_id", "adequacy_word", ["account_id"])
    op.create_table(
        "publication",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("risk_review_id", sa.Text(), nullable=False),
        sa.Column("drb_number", sa.Text(), nullable=False),
        sa.Column("drb_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_publication_snapshot_id"),
        sa.ForeignKeyConstraint(["risk_review_id"], ["risk_review.id"], name="fk_publication_risk_review_id"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_publication_decided_by"),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_publication"),
    )
    _samples()


def _samples() -> None:
    op.create_table(
        "text_sample",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("min_recall", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("population", sa.JSON(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("estimate", sa.JSON(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_text_sample_snapshot_id"),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name="fk_text_sample_closed_by"),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_text_sample"),
    )
    op.create_table(
        "text_sample_case",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("missed", sa.JSON(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("judged_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["text_sample.snapshot_id"], name="fk_text_sample_case_snapshot_id"),
        sa.ForeignKeyConstraint(["judged_by"], ["account.id"], name="fk_text_sample_case_judged_by"),
        sa.PrimaryKeyConstraint("snapshot_id", "number", name="pk_text_sample_case"),
    )
