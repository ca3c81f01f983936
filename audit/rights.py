"""What a role of PostgreSQL could do beyond what it was given: by grants, by owning, by becoming another role.

A role that is a member of another one counts with all that the other may do, since it can become it at any time
(`SET ROLE`), whether it inherits or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, text

from audit.tables import OF_COLUMNS

Right = tuple[str, str, str]
# Of a whole table; that MAINTAIN came with PostgreSQL 17 does not matter: it changes no row.
OF_TABLES = ("DELETE", "TRUNCATE", "TRIGGER")
# With these a role gives itself rights, or reads and writes the server's own files.
_ATTRIBUTES = """
SELECT CASE WHEN r.rolsuper THEN 'superuser' WHEN r.rolbypassrls THEN 'bypassrls' WHEN r.rolcreaterole THEN 'createrole'
    WHEN r.rolreplication THEN 'replication' ELSE r.rolname::text END
FROM pg_roles r WHERE pg_has_role(CAST(:role AS name), r.oid, 'MEMBER') AND (r.rolsuper OR r.rolbypassrls
    OR r.rolcreaterole OR r.rolreplication
    OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
"""
_REACHED = """
WITH reached AS (SELECT oid FROM pg_roles WHERE pg_has_role(CAST(:role AS name), oid, 'MEMBER')),
there AS (SELECT c.oid, c.relname, c.relowner FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
"""
_HELD = f"""{_REACHED}
SELECT p.name, t.relname, '' FROM there t, unnest(CAST(:of_tables AS text[])) p(name)
WHERE EXISTS (SELECT 1 FROM reached r WHERE has_table_privilege(r.oid, t.oid, p.name))
UNION ALL
SELECT p.name, t.relname, a.attname FROM there t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
    AND NOT a.attisdropped, unnest(CAST(:of_columns AS text[])) p(name)
WHERE EXISTS (SELECT 1 FROM reached r WHERE has_column_privilege(r.oid, t.oid, a.attnum, p.name))
"""  # noqa: S608 - text of ours
_OWNED = f"""{_REACHED}
SELECT 'owner of ' || t.relname FROM there t JOIN reached r ON r.oid = t.relowner
UNION ALL SELECT 'CREATE in the schema ' || nspname FROM pg_namespace n WHERE n.oid = to_regnamespace(current_schema())
    AND EXISTS (SELECT 1 FROM reached r WHERE has_schema_privilege(r.oid, n.oid, 'CREATE'))
UNION ALL SELECT 'owner of the database' FROM pg_database d JOIN reached r ON r.oid = d.datdba
    WHERE d.datname = current_database()
"""  # noqa: S608 - text of ours


def beyond(connection: Connection, role: str, given: Collection[Right]) -> tuple[str, ...]:
    """Return what `role` could do with the tables of this schema beyond `given`, in words; () for nothing.

    PostgreSQL only. A role that is not there can do nothing and is told as `no such role`.
    """
    if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        return ("no such role",)
    strong = sorted(set(connection.scalars(text(_ATTRIBUTES), {"role": role})))
    if "superuser" in strong:
        # It may do all of it: a list would say no more.
        return ("superuser",)
    asked = {"role": role, "of_tables": list(OF_TABLES), "of_columns": list(OF_COLUMNS)}
    held = {(right, table, column) for right, table, column in connection.execute(text(_HELD), asked)}
    owned = sorted(connection.scalars(text(_OWNED), {"role": role}))
    return (*strong, *owned, *_told(held, set(given)))


def _told(held: set[Right], given: set[Right]) -> Iterable[str]:
    """Say each right once for a table, with its columns where it is not for all of them."""
    columns: dict[tuple[str, str], set[str]] = defaultdict(set)
    for right, table, column in held - given:
        columns[table, right].add(column)
    everything: dict[str, set[str]] = defaultdict(set)
    for _, table, column in held:
        everything[table] |= {column} - {""}
    for (table, right), beyond_it in sorted(columns.items()):
        some = right in OF_COLUMNS and beyond_it != everything[table]
        yield f"{right} ({', '.join(sorted(beyond_it))}) {table}" if some else f"{right} {table}"
