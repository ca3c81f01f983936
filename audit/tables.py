"""The tables of the log: three that only grow, and those that are derived from them.

`audit_entry` takes entries inside the callers' transactions, `audit_leaf` gives each its place in the tree,
`audit_purge` says below which leaf entries have given up their bytes (`audit.purge`). Databases refuse to change or
remove rows of these three by trigger, and by grant where there are roles; the bytes of an entry below the last such
leaf may become `HUSK`, and nothing else.
What people search is derived from them and can be dropped and refilled at any time: `audit_index` has a row for each
published entry, `audit_block` one for each 256 of them (their times and words), `audit_hour` counts by hour.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Literal

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

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
# One row for each order to purge: every leaf below `end_leaf` (a multiple of 256, the entries of one bundle).
audit_purge = Table(
    "audit_purge",
    metadata,
    Column("end_leaf", _BIG, primary_key=True, autoincrement=False),
    # The entry that orders it.
    Column("entry_id", Text, nullable=False, unique=True),
    CheckConstraint("end_leaf > 0 AND end_leaf % 256 = 0", name="audit_purge_end"),
    sqlite_strict=True,
)
# What is left of an entry's bytes after its purge. No entry is so short.
HUSK = b"\x00"
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
    # What `audit.wording` stores of the fields a person searches by free text.
    Column("words", Text, nullable=False),
    sqlite_strict=True,
)
# Fields people look for among millions. Each is followed by the leaf index, in whose order pages are read; an entry
# without the field is in no such index.
LOOKED_FOR = ("actor", "action", "project", "object_id", "outcome", "from_ip", "session", "reason_code")
# Those whose values are among the words; with the reason's text, the rule, the object's hash, texts of details.
SEARCHED = ("actor", "action", "project", "object_id", "from_ip", "reason_code")
_SPARSE = ("project", "object_id", "from_ip", "session", "reason_code")
for _name in LOOKED_FOR:
    _there = audit_index.c[_name] != "" if _name in _SPARSE else None
    Index(
        f"audit_index_{_name}",
        audit_index.c[_name],
        audit_index.c.leaf_index,
        sqlite_where=_there,
        postgresql_where=_there,
    )

# A block is 256 leaves, as one tile has; it is written once it is full. Two things are found by block: a period
# (times hardly ever run against the order of leaves) and words. On SQLite the words are in `audit_block_words` (FTS5,
# rowid = block), for which the column here stays empty; NULL where a block has more words than PostgreSQL takes.
audit_block = Table(
    "audit_block",
    metadata,
    Column("block", _BIG, primary_key=True, autoincrement=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("words", TSVECTOR().with_variant(Text, "sqlite"), nullable=True),
    Index("audit_block_words_found", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
)
Index("audit_block_unlisted", audit_block.c.block, postgresql_where=audit_block.c.words.is_(None)).ddl_if(
    dialect="postgresql"
)
event.listen(
    audit_block,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE VIRTUAL TABLE audit_block_words USING fts5(words, content='', detail=none, tokenize='ascii')"
    ).execute_if(dialect="sqlite"),
)
event.listen(
    audit_block,
    "after_drop",
    DDL("DROP TABLE IF EXISTS audit_block_words").execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]
)
# For plots and counts. `hour` is the beginning of an entry's time, `2026-11-29T01`.
audit_hour = Table(
    "audit_hour",
    metadata,
    Column("hour", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("entries", _BIG, nullable=False),
    Index("audit_hour_project", "project", "hour"),
    Index("audit_hour_actor", "actor", "hour"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
# Which form the derived tables have; of another one they are made anew and filled by the sequencer.
LAYOUT = 2
audit_layout = Table("audit_layout", metadata, Column("layout", Integer, primary_key=True, autoincrement=False))

RECORD_TABLES = ("audit_entry", "audit_leaf", "audit_purge")
DERIVED_TABLES = ("audit_index", "audit_block", "audit_hour")
ALL_TABLES = (*RECORD_TABLES, *DERIVED_TABLES, "audit_layout")
# What SQLite's FTS5 calls the tables of `audit_block_words`.
FTS5_TABLES = tuple(f"audit_block_words{each}" for each in ("", "_config", "_data", "_docsize", "_idx"))

# REPLACE removes the row in its way without firing DELETE triggers; the third looks for such a row beforehand.
_SQLITE_TRIGGERS = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}{unless} BEGIN {refuse}; END
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse}; END
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} BEGIN {refuse}; END
"""
_POSTGRESQL_TRIGGERS = """
CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse()
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_refuse()
"""
# The one change there is: an entry whose purge was ordered gives up its bytes. Qualified, since who updates could put
# tables of the same names before ours.
_SQLITE_PURGE = (
    " WHEN NOT (NEW.position = OLD.position AND NEW.id = OLD.id AND NEW.bytes = x'00' AND EXISTS (SELECT 1 FROM"
    " audit_leaf l WHERE l.entry_id = OLD.id AND l.leaf_index < (SELECT max(end_leaf) FROM audit_purge)))"
)
_POSTGRESQL_PURGE = (
    "IF TG_OP = 'UPDATE' THEN"
    " EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || quote_ident(TG_TABLE_SCHEMA) || '.audit_leaf l WHERE l.entry_id = $1"
    " AND l.leaf_index < (SELECT max(end_leaf) FROM ' || quote_ident(TG_TABLE_SCHEMA) || '.audit_purge))'"
    " INTO ordered USING OLD.id;"
    " IF ordered AND NEW.position = OLD.position AND NEW.id = OLD.id AND NEW.bytes = decode('00', 'hex')"
    " THEN RETURN NEW; END IF; END IF; "
)


def protecting(name: str, dialect: str) -> list[str]:
    """Return the statements that make a table of the record refuse change on `sqlite` or `postgresql`."""
    table = metadata.tables[name]
    message = f"the log only grows: rows of {name} cannot be changed or removed"
    keys = [column.name for column in table.c if column.unique or column.primary_key]
    raising = f"RAISE EXCEPTION '{message}'"
    clash = " OR ".join(f"{key} = NEW.{key}" for key in keys)
    words = {
        "table": name,
        "taken": f"EXISTS (SELECT 1 FROM {name} WHERE {clash})",  # noqa: S608 - names of our own tables
        "refuse": f"SELECT RAISE(ABORT, '{message}')",
        "unless": _SQLITE_PURGE if table is audit_entry else "",
        "body": f"BEGIN {raising}; END",
    }
    if table is audit_entry:
        words["body"] = f"DECLARE ordered boolean; BEGIN {_POSTGRESQL_PURGE}{raising}; END"
    statements = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}[dialect]
    return [statement.format(**words) for statement in statements.strip().splitlines()]


def _attach_triggers(table: Table) -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in protecting(table.name, dialect):
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


_attach_triggers(audit_entry)
_attach_triggers(audit_leaf)
_attach_triggers(audit_purge)

Part = Literal["writer", "sequencer", "reader", "keeper"]
# Rights that PostgreSQL gives by column, too.
OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_READ = "SELECT ON audit_purge, audit_index, audit_block, audit_hour, audit_layout"
_GRANTS: dict[Part, tuple[str, ...]] = {
    "writer": ("INSERT (id, bytes), SELECT ON audit_entry", "SELECT ON audit_leaf", _READ),
    "sequencer": (
        # It writes its own hourly heartbeat entry, and carries out what the keeper ordered.
        "INSERT (id, bytes), SELECT, UPDATE (bytes) ON audit_entry",
        "SELECT, INSERT ON audit_leaf",
        "SELECT ON audit_purge",
        "SELECT, INSERT, DELETE ON audit_index, audit_block",
        "SELECT, INSERT, UPDATE, DELETE ON audit_hour",
        "SELECT ON audit_layout",
    ),
    "reader": ("SELECT ON audit_entry", "SELECT ON audit_leaf", _READ),
    "keeper": (
        "INSERT (id, bytes), SELECT ON audit_entry",
        "SELECT ON audit_leaf",
        "INSERT ON audit_purge",
        _READ,
    ),
}


def grants_sql(role: str, part: Part = "writer") -> list[str]:
    """Return the PostgreSQL statements that leave `role` exactly what its part in the log needs.

    A writer (hub, portal) may insert entries and read; only the sequencer may number them; only the keeper (whoever
    holds the machine) may order a purge, which the sequencer carries out; nobody may change, remove or truncate. Run
    them as the owner of the tables, which must be none of these roles.
    """
    named, tables = quoted(role), ", ".join(metadata.tables)
    revoke = [f"REVOKE ALL ON {tables} FROM PUBLIC", f"REVOKE ALL ON {tables} FROM {named}"]
    return revoke + [f"GRANT {grant} TO {named}" for grant in _GRANTS[part]]


def quoted(name: str) -> str:
    """Return a name as PostgreSQL reads it literally."""
    return '"' + name.replace('"', '""') + '"'


def granted(part: Part) -> set[tuple[str, str, str]]:
    """Return what `grants_sql` gives: (right, table, column), the column "" for rights that know none."""
    found = set()
    for grant in _GRANTS[part]:
        rights, _, tables = grant.partition(" ON ")
        for name, right in product(tables.split(", "), re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", rights)):
            everything = [column.name for column in metadata.tables[name].c]
            columns = right[1].split(", ") if right[1] else everything if right[0] in OF_COLUMNS else [""]
            found |= {(right[0], name, column) for column in columns}
    return found


def create(connection: Connection) -> bool:
    """Make the tables that are missing; make derived tables of another layout anew, empty. Return whether it did so.

    The sequencer fills them again. On PostgreSQL run `grants_sql` again for each role afterwards: a new table has none.
    """
    had = inspect(connection).has_table("audit_index")
    older = inspect(connection).has_table("audit_entry") and not inspect(connection).has_table("audit_purge")
    metadata.create_all(connection)
    if older:
        _protect_anew(connection, audit_entry)
    if connection.scalar(select(audit_layout.c.layout)) == LAYOUT:
        return False
    if had:
        derived = [metadata.tables[name] for name in DERIVED_TABLES]
        metadata.drop_all(connection, derived)
        metadata.create_all(connection, derived)
    connection.execute(audit_layout.delete())
    connection.execute(audit_layout.insert(), {"layout": LAYOUT})
    return had


def _protect_anew(connection: Connection, table: Table) -> None:
    """Put this version's triggers in place of those of an earlier one."""
    dialect = connection.dialect.name
    where = "" if dialect == "sqlite" else f" ON {table.name}"
    for statement in protecting(table.name, dialect):
        if found := re.match(r"CREATE TRIGGER (\w+)", statement):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {found[1]}{where}")
        connection.exec_driver_sql(statement)
