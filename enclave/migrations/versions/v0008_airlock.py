"""The airlock's workflow: two directions, rounds, groups, votes by file, comments, conflicts of interest, receipts.

What was asked for before is kept: each round becomes a row, its files one group, each earlier word a vote on each file.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Rows of these are never changed or removed: the database says no, whatever the code does.
ONLY_GROW = ("request_comment", "review_revision", "conflict_of_interest")
SQLITE = (
    "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END",
    "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END",
)
POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    ),
    (
        "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
    ),
)
# Five working days with a weekend between them: only rounds that were under review at this moment can notice.
OLD_DAYS = 7


def upgrade() -> None:
    """Make the tables, fill them from what was there, and let the growing ones only grow."""
    _request_round()
    _request_group()
    _new_columns()
    _file_vote()
    _review_revision()
    _request_comment()
    _conflict_of_interest()
    _recall_receipt()
    _carry_over(op.get_bind())
    statements = SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL
    for table in ONLY_GROW:
        for statement in statements:
            op.execute(statement.format(table=table, said=f"rows of {table} cannot be changed or removed"))


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def _request_round() -> None:
    op.create_table(
        "request_round",
        _text("request_id"),
        sa.Column("round", sa.Integer(), nullable=False),
        _text("content_sha256"),
        _moment("submitted_at"),
        _text("submitted_by"),
        _text("purpose"),
        _text("context"),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("reviewers_needed", sa.Integer(), nullable=False),
        sa.Column("need_reasons", sa.JSON(), nullable=False),
        _text("policy_version", nullable=True),
        _moment("due_at"),
        _moment("escalate_at"),
        _moment("escalated_at", nullable=True),
        _moment("first_review_at", nullable=True),
        _moment("ended_at", nullable=True),
        sa.Column("ended_as", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_request_round_request_id"),
        sa.PrimaryKeyConstraint("request_id", "round", name="pk_request_round"),
    )
    op.create_index("ix_request_round_ended_at_escalate_at", "request_round", ["ended_at", "escalate_at"])


def _request_group() -> None:
    op.create_table(
        "request_group",
        _text("id"),
        _text("request_id"),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("name"),
        _text("context"),
        _text("controls"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_request_group_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_request_group"),
        sa.UniqueConstraint("request_id", "round", "name", name="uq_request_group_request_id_round_name"),
    )


def _new_columns() -> None:
    # SQLite can add a column with a reference, but not a constraint afterwards.
    op.execute(
        "ALTER TABLE output_file ADD COLUMN group_id TEXT "
        "CONSTRAINT fk_output_file_group_id REFERENCES request_group(id)"
    )
    added: dict[str, tuple[sa.Column[Any], ...]] = {
        "egress_request": (
            sa.Column("direction", sa.String(32), nullable=False, server_default="egress"),
            sa.Column("details", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("draft", sa.JSON(), nullable=True),
        ),
        "output_file": (
            sa.Column("role", sa.String(32), nullable=False, server_default="output"),
            sa.Column("recomputed", sa.Boolean(), nullable=False, server_default=sa.false()),
            _text("recipe", ""),
            _text("code", ""),
            _text("description", ""),
            _text("statistic", ""),
            sa.Column("subjects", sa.BigInteger(), nullable=True),
            sa.Column("smallest_cell", sa.BigInteger(), nullable=True),
            _text("report", nullable=True),
            _text("rules_sha256", ""),
            _text("carried_from", nullable=True),
            sa.Column("outcome", sa.String(32), nullable=True),
        ),
        "file_finding": (sa.Column("repairs", sa.JSON(), nullable=False, server_default="[]"),),
        "review": (_text("override_reason", ""),),
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)


def _file_vote() -> None:
    op.create_table(
        "file_vote",
        _text("review_id"),
        _text("file_id"),
        sa.Column("vote", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["output_file.id"], name="fk_file_vote_file_id"),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name="fk_file_vote_review_id"),
        sa.PrimaryKeyConstraint("review_id", "file_id", name="pk_file_vote"),
    )


def _review_revision() -> None:
    op.create_table(
        "review_revision",
        _text("review_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _moment("replaced_at"),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name="fk_review_revision_review_id"),
        sa.PrimaryKeyConstraint("review_id", "number", name="pk_review_revision"),
    )


def _request_comment() -> None:
    op.create_table(
        "request_comment",
        _text("id"),
        _text("request_id"),
        sa.Column("round", sa.Integer(), nullable=False),
        _text("group_id", nullable=True),
        _text("author_id"),
        sa.Column("audience", sa.String(32), nullable=False),
        _text("text"),
        _moment("made_at"),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name="fk_request_comment_author_id"),
        sa.ForeignKeyConstraint(["group_id"], ["request_group.id"], name="fk_request_comment_group_id"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_request_comment_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_request_comment"),
    )
    op.create_index("ix_request_comment_request_id", "request_comment", ["request_id"])


def _conflict_of_interest() -> None:
    op.create_table(
        "conflict_of_interest",
        _text("request_id"),
        _text("account_id"),
        _text("reason"),
        _moment("declared_at"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_conflict_of_interest_account_id"),
        sa.ForeignKeyConstraint(["request_id"], ["egress_request.id"], name="fk_conflict_of_interest_request_id"),
        sa.PrimaryKeyConstraint("request_id", "account_id", name="pk_conflict_of_interest"),
    )


def _recall_receipt() -> None:
    op.create_table(
        "recall_receipt",
        _text("release_id"),
        _text("account_id"),
        _moment("told_at"),
        _moment("due_at"),
        _moment("confirmed_at", nullable=True),
        _text("statement", nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recall_receipt_account_id"),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name="fk_recall_receipt_release_id"),
        sa.PrimaryKeyConstraint("release_id", "account_id", name="pk_recall_receipt"),
    )


def _carry_over(bind: sa.Connection) -> None:
    old = sa.MetaData()
    tables = ("egress_request", "output_file", "review", "release", "request_round", "request_group", "file_vote")
    old.reflect(bind, only=tables)
    requests = {row.id: row for row in bind.execute(sa.select(old.tables["egress_request"]))}
    files, reviews = old.tables["output_file"], old.tables["review"]
    rounds = bind.execute(sa.select(files.c.request_id, files.c.round).distinct()).all()
    for request_id, number in sorted(rounds):
        _one_round(bind, old, requests[request_id], number)
    votes = sa.select(reviews.c.id, files.c.id, sa.case((reviews.c.decision == "approve", "approve"), else_="changes"))
    same = (files.c.request_id == reviews.c.request_id) & (files.c.round == reviews.c.round)
    insert = old.tables["file_vote"].insert()
    bind.execute(insert.from_select(["review_id", "file_id", "vote"], votes.where(same)))
    _states(bind, old)


def _one_round(bind: sa.Connection, old: sa.MetaData, request: Any, number: int) -> None:
    reviews, groups, files = (old.tables[name] for name in ("review", "request_group", "output_file"))
    of_round = (reviews.c.request_id == request.id) & (reviews.c.round == number)
    found = bind.execute(sa.select(reviews).where(of_round).order_by(reviews.c.decided_at)).all()
    current = number == request.round
    begun: datetime = request.submitted_at if current else (found[0].decided_at if found else request.created_at)
    ended = request.decided_at if current else (found[-1].decided_at if found else begun)
    state = request.state if request.state not in {"submitted", "draft", "released"} else None
    bind.execute(
        old.tables["request_round"]
        .insert()
        .values(
            request_id=request.id,
            round=number,
            content_sha256=request.content_sha256 if current else (found[0].content_sha256 if found else ""),
            submitted_at=begun,
            submitted_by=request.requester_id,
            purpose=request.purpose,
            context=request.context,
            details={},
            reviewers_needed=2,
            need_reasons=[],
            due_at=begun + timedelta(days=OLD_DAYS),
            escalate_at=begun + timedelta(days=OLD_DAYS) * 0.8,
            first_review_at=found[0].decided_at if found else None,
            ended_at=ended,
            ended_as=("approved" if request.state == "released" else state) if current else "returned",
        )
    )
    group = f"g-{request.id}-{number}"
    of_files = (files.c.request_id == request.id) & (files.c.round == number)
    values = {"id": group, "request_id": request.id, "round": number, "position": 0, "name": ""}
    bind.execute(groups.insert().values(**values, context=request.context, controls=""))
    bind.execute(files.update().where(of_files).values(group_id=group))


def _states(bind: sa.Connection, old: sa.MetaData) -> None:
    """Give files of decided rounds their outcome; a recalled release recalls its request."""
    requests, files, releases = (old.tables[name] for name in ("egress_request", "output_file", "release"))
    decided = sa.select(requests.c.id).where(requests.c.state.in_(["approved", "released"]))
    now = sa.select(requests.c.round).where(requests.c.id == files.c.request_id).scalar_subquery()
    bind.execute(
        files.update().where(files.c.request_id.in_(decided) & (files.c.round == now)).values(outcome="approved")
    )
    recalled = sa.select(releases.c.request_id).where(releases.c.state == "recalled")
    bind.execute(requests.update().where(requests.c.id.in_(recalled)).values(state="recalled"))
