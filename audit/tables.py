"""The tables of the log: two that only grow, one that is derived from them.

`audit_entry` takes entries inside the callers' transactions, `audit_leaf` gives each its place in the tree.
Databases refuse to change or remove rows of these two by trigger, and by grant where there are roles.
`audit_index` is what people search; it can be dropped and refilled at any time.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
)

from audit.canonical import MAX_ENTRY_BYTES

metadata = MetaData()
# SQLite numbers rows by itself only in a column declared INTEGER.
_BIG = BigInteger().with_variant(Integer, "sqlite")

audit_entry = Table(
    "audit_entry",
    metadata,
    # Order of insertion, not of commit: the sequencer only uses it to look at the newest part of the table.
    Column("position", _BIG, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("bytes", LargeBinary, nullable=False),
    CheckConstraint("length(id) = 26", name="audit_entry_id"),
    CheckConstraint(f"length(bytes) BETWEEN 1 AND {MAX_ENTRY_BYTES}", name="audit_entry_bytes"),
    # Without STRICT, SQLite would take text where bytes belong.
    sqlite_strict=True,
)
audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("leaf_index", _BIG, primary_key=True, autoincrement=False),
    Column("entry_id", Text, nullable=False, unique=True),
    CheckConstraint("leaf_index >= 0", name="audit_leaf_index"),
    sqlite_strict=True,
)
audit_index = Table(
    "audit_index",
    metadata,
    Column("leaf_index", _BIG, primary_key=True, autoincrement=False),
    Column("entry_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("from_ip", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("reason_text", Text, nullable=False),
    Column("subjects_count", _BIG, nullable=False),
    Column("subjects_kind", Text, nullable=False),
    Column("observer", Text, nullable=False),
    # Lower-case words of the fields a person searches by free text.
    Column("words", Text, nullable=False),
    sqlite_strict=True,
)
# What people look for among millions; the rest filters what these leave.
for _name in ("at", "actor", "action", "project", "object_id"):
    Index(f"audit_index_{_name}", audit_index.c[_name], audit_index.c.leaf_index)

RECORD_TABLES = ("audit_entry", "audit_leaf")
ALL_TABLES = (*RECORD_TABLES, "audit_index")

# REPLACE removes the row in its way without firing DELETE triggers; the third looks for such a row beforehand.
_SQLITE_TRIGGERS = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse}; END
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse}; END
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} BEGIN {refuse}; END
"""
_POSTGRESQL_TRIGGERS = """
CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raising}; END $$
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse()
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_refuse()
"""


def _attach_triggers(table: Table) -> None:
    message = f"the log only grows: rows of {table.name} cannot be changed or removed"
    keys = [column.name for column in table.c if column.unique or column.primary_key]
    clash = " OR ".join(f"{key} = NEW.{key}" for key in keys)
    words = {
        "table": table.name,
        "taken": f"EXISTS (SELECT 1 FROM {table.name} WHERE {clash})",  # noqa: S608 - names of our own tables
        "refuse": f"SELECT RAISE(ABORT, '{message}')",
        "raising": f"RAISE EXCEPTION '{message}'",
    }
    for dialect, statements in (("sqlite", _SQLITE_TRIGGERS), ("postgresql", _POSTGRESQL_TRIGGERS)):
        for statement in statements.strip().splitlines():
            ddl = DDL(statement.format(**words))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


_attach_triggers(audit_entry)
_attach_triggers(audit_leaf)

Part = Literal["writer", "sequencer", "reader"]
_GRANTS: dict[Part, tuple[str, ...]] = {
    "writer": ("INSERT (id, bytes), SELECT ON audit_entry", "SELECT ON audit_leaf", "SELECT ON audit_index"),
    "sequencer": (
        # It writes its own hourly heartbeat entry.
        "INSERT (id, bytes), SELECT ON audit_entry",
        "SELECT, INSERT ON audit_leaf",
        "SELECT, INSERT, DELETE ON audit_index",
    ),
    "reader": ("SELECT ON audit_entry", "SELECT ON audit_leaf", "SELECT ON audit_index"),
}


def grants_sql(role: str, part: Part = "writer") -> list[str]:
    """Return the PostgreSQL statements that leave `role` exactly what its part in the log needs.

    A writer (hub, portal) may insert entries and read; only the sequencer may number them; nobody may change,
    remove or truncate. Run them as the owner of the tables, which must be none of these roles.
    """
    quoted = '"' + role.replace('"', '""') + '"'
    tables = ", ".join(ALL_TABLES)
    revoke = [f"REVOKE ALL ON {tables} FROM PUBLIC", f"REVOKE ALL ON {tables} FROM {quoted}"]
    return revoke + [f"GRANT {grant} TO {quoted}" for grant in _GRANTS[part]]
