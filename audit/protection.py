"""Whether the database still refuses to change the record: triggers that are gone or do something else.

Whoever owns the tables, or holds the file of SQLite, can take the triggers away. What was published stays provable;
what was not yet is at their mercy, so it is looked for again and again and told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import Connection, text

from audit.tables import RECORD_TABLES, protecting

_NAME = re.compile(r"CREATE (?:OR REPLACE )?(?:TRIGGER|FUNCTION) (\w+)")
# Of a trigger: enabled, and for which table; of its function: the body. Rules and row security could swallow rows.
_TRIGGERS = """
SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid = to_regclass(:table)
"""
_SWALLOWED = """
SELECT 'rule ' || r.rulename FROM pg_rewrite r WHERE r.ev_class = to_regclass(:table)
UNION ALL SELECT 'row security' FROM pg_class c WHERE c.oid = to_regclass(:table) AND c.relrowsecurity
"""


def missing(connection: Connection) -> tuple[str, ...]:
    """Return the triggers and tables that are not as `audit.tables` made them; () where all is well."""
    if connection.dialect.name == "sqlite":
        return tuple(_missing_on_sqlite(connection))
    return tuple(each for table in RECORD_TABLES for each in _missing_on_postgresql(connection, table))


def _missing_on_sqlite(connection: Connection) -> list[str]:
    rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_schema")).all()
    found = {row.name: _plain(row.sql or "") for row in rows if row.type == "trigger"}
    tables = {row.name for row in rows if row.type == "table"}
    wanted = {name: _plain(sql) for table in RECORD_TABLES for name, sql in _named(protecting(table, "sqlite")).items()}
    # A trigger of somebody else's on these tables could undo what an insert did.
    more = [row.name for row in rows if row.type == "trigger" and row.tbl_name in RECORD_TABLES]
    return [
        *(table for table in RECORD_TABLES if table not in tables),
        *(name for name, sql in wanted.items() if found.get(name) != sql),
        *(name for name in more if name not in wanted),
    ]


def _missing_on_postgresql(connection: Connection, table: str) -> list[str]:
    named = _named(protecting(table, "postgresql"))
    body = _plain(next(sql for sql in named.values() if "FUNCTION" in sql).split("$$")[1])
    wanted = {name for name, sql in named.items() if "CREATE TRIGGER" in sql}
    found = {name: _plain(source) for name, source in connection.execute(text(_TRIGGERS), {"table": table})}
    swallowed = connection.scalars(text(_SWALLOWED), {"table": table})
    return [
        *sorted(name for name in wanted if found.get(name) != body),
        *sorted(name for name in found if name not in wanted),
        *(f"{table}: {each}" for each in swallowed),
    ]


def _named(statements: list[str]) -> Mapping[str, str]:
    return {match[1]: sql for sql in statements if (match := _NAME.match(sql))}


def _plain(sql: str) -> str:
    return " ".join(sql.split()).rstrip(";").strip()
