"""An attacker with the portal's credentials at PostgreSQL: signed in as its role, they may add entries and read.

Every table of the log, those that will be added too: the list is the metadata's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from audit import outbox, tables
from audit.event import Event

TABLES = sorted(tables.metadata.tables)
NO_RIGHT = re.compile("permission denied|must (be|have)|not permitted|Only roles with")
ON_A_TABLE = [
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "DELETE FROM ONLY {table} WHERE false",
    "TRUNCATE {table}",
    "TRUNCATE {table} RESTART IDENTITY CASCADE",
    "WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone",
    "MERGE INTO {table} USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    "SELECT 1 FROM {table} FOR UPDATE",
    "DROP TABLE {table}",
    "DROP TABLE {table} CASCADE",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER USER",
    "ALTER TABLE {table} RENAME TO away",
    "ALTER TABLE {table} SET SCHEMA pg_temp",
    "ALTER TABLE {table} ADD COLUMN more int",
    "ALTER TABLE {table} DROP COLUMN {column} CASCADE",
    "ALTER TABLE {table} ALTER COLUMN {column} TYPE bytea USING ''::bytea",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "ALTER TABLE {table} SET UNLOGGED",
    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} ATTACH PARTITION {table} DEFAULT",
    "CREATE RULE swallow AS ON INSERT TO {table} DO INSTEAD NOTHING",
    (
        "CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "CREATE POLICY hide ON {table} USING (false)",
    "CREATE UNIQUE INDEX clash ON {table} ((1))",
    "CREATE TABLE child () INHERITS ({table})",
    "BEGIN ;; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
    "GRANT ALL ON {table} TO CURRENT_USER WITH GRANT OPTION ;; DELETE FROM {table}",
    "COPY {table} FROM PROGRAM 'true'",
    "COPY {table} TO PROGRAM 'cat > /dev/null'",
    "COPY {table} FROM '/dev/null'",
    "COPY {table} TO '/tmp/ansim-attack'",
    "CLUSTER {table} USING {table}_pkey",
    "REINDEX TABLE {table}",
    "COMMENT ON TABLE {table} IS 'mine'",
    "DO $$ BEGIN EXECUTE 'DELETE FROM {table}'; END $$",
    (
        "CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SECURITY DEFINER AS"
        " 'DELETE FROM {table}' ;; SELECT pg_temp.f()"
    ),
    "PREPARE gone AS DELETE FROM {table} ;; EXECUTE gone",
    "CREATE TEMP VIEW v AS SELECT * FROM {table} ;; DELETE FROM v",
    "SELECT pg_catalog.setval(pg_get_serial_sequence('audit_entry', 'position'), 1)",
]
# Of what only the sequencer and the owner write.
NOT_ITS_OWN = [
    "INSERT INTO audit_leaf (leaf_index, entry_id) VALUES (999, repeat('Z', 26))",
    "INSERT INTO audit_leaf SELECT 999, id FROM audit_entry ON CONFLICT DO NOTHING",
    "INSERT INTO audit_purge (end_leaf, entry_id) VALUES (256, repeat('Z', 26))",
    "UPDATE audit_entry SET bytes = decode('00', 'hex')",
    "INSERT INTO audit_index SELECT * FROM audit_index ON CONFLICT DO NOTHING",
    "INSERT INTO audit_entry (position, id, bytes) OVERRIDING SYSTEM VALUE VALUES (1, repeat('Z', 26), 'x')",
    "INSERT INTO audit_entry (id, bytes) VALUES (repeat('Z', 26), 'x') ON CONFLICT (id) DO UPDATE SET bytes = 'y'",
]
ON_THE_SERVER = [
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "CREATE ROLE helper SUPERUSER",
    "GRANT pg_write_all_data TO CURRENT_USER",
    "GRANT postgres TO CURRENT_USER",
    "ALTER SYSTEM SET fsync = off",
    "ALTER DATABASE {database} OWNER TO CURRENT_USER",
    "DROP DATABASE {database}",
    "DROP SCHEMA public CASCADE",
    "ALTER SCHEMA public RENAME TO away",
    "DROP OWNED BY postgres",
    "REASSIGN OWNED BY postgres TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION audit_leaf_refuse() OWNER TO CURRENT_USER",
    "DROP FUNCTION audit_entry_refuse() CASCADE",
    "DROP TRIGGER audit_entry_no_change ON audit_entry",
    "CREATE TABLE public.audit_entry_2 (x int)",
    "CREATE EXTENSION adminpack",
    "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION audit_entry_refuse()",
    "CREATE FUNCTION pg_temp.c() RETURNS int LANGUAGE c AS '/tmp/x.so', 'x'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_reload_conf()",
    "SELECT pg_switch_wal()",
    "UPDATE pg_class SET relowner = 0 WHERE relname = 'audit_entry'",
    "DELETE FROM pg_trigger",
    "UPDATE pg_catalog.pg_authid SET rolsuper = true",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p",
    "CREATE PUBLICATION p FOR TABLE audit_entry",
]  # fmt: skip


@pytest.fixture
def attacker(engine: Engine, database_url: str, add, sequencer) -> Iterator[Engine]:
    """A connection as the portal's own role; the log has three entries."""
    add(3)
    sequencer.step()
    role = f"portal_of_{engine.url.database}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        for statement in tables.grants_sql(role):
            connection.exec_driver_sql(statement)
    made = create_engine(make_url(database_url).set(username=role))
    yield made
    made.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")


def everything(engine: Engine) -> list[object]:
    queries = [f"SELECT * FROM {table} ORDER BY 1" for table in TABLES]
    queries += ["SELECT tgname, tgenabled FROM pg_trigger ORDER BY 1"]
    # What the attacker's own session put beside it is nobody else's.
    there = "WHERE NOT pg_is_other_temp_schema(relnamespace)"
    queries += [f"SELECT relname, relowner, relacl FROM pg_class {there} ORDER BY oid"]
    queries += ["SELECT rolname, rolsuper FROM pg_roles ORDER BY 1"]
    with engine.connect() as connection:
        return [connection.execute(text(query)).all() for query in queries]


def refused(attacker: Engine, statements: list[str]) -> None:
    """Each is refused, and for want of a right, not because it is no SQL."""
    answers = {statement: answer(attacker, statement) for statement in statements}
    assert {statement: said for statement, said in answers.items() if not NO_RIGHT.search(said)} == {}


def answer(attacker: Engine, statement: str) -> str:
    # Without a transaction around them: some statements refuse to be in one before they ask for rights.
    with attacker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for each in statement.split(" ;; "):
                connection.exec_driver_sql(each)
        except DBAPIError as error:
            return str(error.orig)
    return "done"


ONLY_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, ids=[""])


@ONLY_POSTGRESQL
@pytest.mark.parametrize("table", TABLES)
def test_with_the_portals_credentials_nothing_of_a_table_is_changed(engine, attacker, table) -> None:
    before = everything(engine)
    column = list(tables.metadata.tables[table].c)[-1].name
    refused(attacker, [each.format(table=table, column=column) for each in ON_A_TABLE])
    assert everything(engine) == before


@ONLY_POSTGRESQL
def test_with_the_portals_credentials_nobody_gets_more_rights(engine, attacker) -> None:
    before = everything(engine)
    refused(attacker, NOT_ITS_OWN + [each.format(database=engine.url.database) for each in ON_THE_SERVER])
    assert everything(engine) == before


@ONLY_POSTGRESQL
def test_with_the_portals_credentials_entries_are_added_and_read_and_nothing_else_is_granted(attacker) -> None:
    with attacker.begin() as connection:
        entry_id = outbox.append(connection, Event("a.b", "done", "u"), observer="test")
    with attacker.connect() as connection:
        assert connection.scalar(text("SELECT 1 FROM audit_entry WHERE id = :id"), {"id": entry_id}) == 1
        query = (
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = current_user UNION SELECT table_name, privilege_type"
            " FROM information_schema.column_privileges WHERE grantee = current_user"
        )
        granted = {tuple(row) for row in connection.execute(text(query))}
    assert granted == {(table, "SELECT") for table in TABLES} | {("audit_entry", "INSERT")}
