"""Attacks on the record tables with direct SQL: nothing in them can be changed, replaced or removed."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from audit import outbox, tables
from audit.event import Event

ATTACKS = [
    "UPDATE audit_entry SET bytes = bytes WHERE id = :id",
    "UPDATE audit_entry SET id = '00000000000000000000000000'",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_entry WHERE id = :id",
    "UPDATE audit_leaf SET leaf_index = leaf_index + 100",
    "UPDATE audit_leaf SET entry_id = 'x' WHERE leaf_index = 0",
    "DELETE FROM audit_leaf WHERE leaf_index = 2",
    "UPDATE audit_entry SET bytes = '' WHERE id = :id",
]
ON_SQLITE = [
    "INSERT OR REPLACE INTO audit_entry (id, bytes) VALUES (:id, x'00')",
    "REPLACE INTO audit_entry (position, id, bytes) VALUES (1, '00000000000000000000000000', x'00')",
    "INSERT INTO audit_entry (id, bytes) VALUES (:id, x'00') ON CONFLICT (id) DO UPDATE SET bytes = x'00'",
    "INSERT OR REPLACE INTO audit_leaf (leaf_index, entry_id) VALUES (0, 'forged')",
    "REPLACE INTO audit_leaf (leaf_index, entry_id) VALUES (99, :id)",
    "UPDATE OR REPLACE audit_leaf SET leaf_index = 0 WHERE leaf_index = 1",
]
ON_POSTGRESQL = [
    "TRUNCATE audit_entry",
    "TRUNCATE audit_leaf CASCADE",
    "INSERT INTO audit_entry (id, bytes) VALUES (:id, '') ON CONFLICT (id) DO UPDATE SET bytes = 'x'",
    "INSERT INTO audit_entry (position, id, bytes) VALUES (99, repeat('0', 26), 'x')",
    "WITH gone AS (DELETE FROM audit_entry RETURNING 1) SELECT count(*) FROM gone",
    "MERGE INTO audit_leaf USING audit_entry ON true WHEN MATCHED THEN DELETE",
]
MALFORMED = [
    ("short", b"x"),
    ("0" * 27, b"x"),
    ("0" * 26, b""),
    ("0" * 26, b"x" * 65_536),
]


def rows(engine):
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in tables.RECORD_TABLES]


@pytest.fixture
def filled(engine, add, sequencer):
    ids = add(3)
    sequencer.step()
    return engine, ids


def attack(engine, statement, **values) -> None:
    before = rows(engine)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text(statement), values)
    assert rows(engine) == before


@pytest.mark.parametrize("statement", ATTACKS)
def test_rows_of_the_record_cannot_be_changed(filled, statement) -> None:
    engine, ids = filled
    attack(engine, statement, **({"id": ids[1]} if ":id" in statement else {}))


@pytest.mark.parametrize("statement", ON_SQLITE)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_way_round(filled, statement) -> None:
    engine, ids = filled
    attack(engine, statement, **({"id": ids[1]} if ":id" in statement else {}))


@pytest.mark.parametrize("statement", ON_POSTGRESQL)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_has_no_way_round(filled, statement) -> None:
    engine, ids = filled
    attack(engine, statement, **({"id": ids[1]} if ":id" in statement else {}))


@pytest.mark.parametrize(("entry_id", "data"), MALFORMED, ids=["short id", "long id", "empty", "too large"])
def test_rows_of_the_wrong_size_are_refused(filled, entry_id, data) -> None:
    attack(filled[0], "INSERT INTO audit_entry (id, bytes) VALUES (:id, :data)", id=entry_id, data=data)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_takes_no_text_where_bytes_belong(filled) -> None:
    attack(filled[0], "INSERT INTO audit_entry (id, bytes) VALUES (:id, 'text')", id="0" * 26)


ALLOWED = {
    "writer": ["insert-entry", "select-entry", "select-leaf", "select-index"],
    "sequencer": ["insert-entry", "select-entry", "select-leaf", "insert-leaf", "select-index", "delete-index"],
    "reader": ["select-entry", "select-leaf", "select-index"],
    "keeper": ["insert-entry", "select-entry", "select-leaf", "insert-purge", "select-index"],
}
TRIES = {
    "insert-entry": "INSERT INTO audit_entry (id, bytes) VALUES (repeat('Z', 26), 'x')",
    "insert-position": "INSERT INTO audit_entry OVERRIDING SYSTEM VALUE VALUES (9, repeat('Z', 26), 'x')",
    "update-entry": "UPDATE audit_entry SET bytes = 'x'",
    "delete-entry": "DELETE FROM audit_entry",
    "truncate-entry": "TRUNCATE audit_entry",
    "select-entry": "SELECT count(*) FROM audit_entry",
    "insert-leaf": "INSERT INTO audit_leaf VALUES (77, 'x')",
    "update-leaf": "UPDATE audit_leaf SET entry_id = 'x'",
    "delete-leaf": "DELETE FROM audit_leaf",
    "truncate-leaf": "TRUNCATE audit_leaf",
    "select-leaf": "SELECT count(*) FROM audit_leaf",
    "insert-purge": "INSERT INTO audit_purge VALUES (256, 'x')",
    "update-purge": "UPDATE audit_purge SET end_leaf = 512",
    "delete-purge": "DELETE FROM audit_purge",
    "select-index": "SELECT count(*) FROM audit_index",
    "update-index": "UPDATE audit_index SET actor = 'x'",
    "delete-index": "DELETE FROM audit_index",
    "truncate-index": "TRUNCATE audit_index",
    "trigger": "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "replica": "SET session_replication_role = replica",
    "drop": "DROP TABLE audit_leaf",
}


@pytest.mark.parametrize("part", ALLOWED)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_role_may_do_what_its_part_needs_and_nothing_else(filled, database_url, part) -> None:
    engine, _ = filled
    role = f'ansim "{part}" {engine.url.database}'
    with engine.begin() as connection:
        quoted = role.replace('"', '""')
        connection.exec_driver_sql(f'CREATE ROLE "{quoted}"')
        # What was given by hand before, to all or to this one.
        everything = ", ".join(tables.metadata.tables)
        connection.exec_driver_sql(f"GRANT ALL ON {everything} TO PUBLIC")
        connection.exec_driver_sql(f'GRANT ALL ON {everything} TO "{quoted}"')
        for statement in tables.grants_sql(role, part):
            connection.exec_driver_sql(statement)
    allowed = []
    for name, statement in TRIES.items():
        with engine.connect() as connection:
            connection.exec_driver_sql(f'SET ROLE "{quoted}"')
            try:
                connection.exec_driver_sql(statement)
                answer = "done"
            except DBAPIError as error:
                answer = str(error.orig)
            if answer == "done":
                allowed.append(name)
            else:
                # The sequencer may empty what was ordered to go, and nothing was.
                wanted = ("permission denied", "must be owner", "the log only grows")
                assert any(each in answer for each in wanted if part == "sequencer" or each != wanted[-1])
            connection.rollback()
            connection.exec_driver_sql("RESET ROLE")
    with engine.begin() as connection:
        connection.exec_driver_sql(f'DROP OWNED BY "{quoted}"')
        connection.exec_driver_sql(f'DROP ROLE "{quoted}"')
    assert sorted(allowed) == sorted(ALLOWED[part])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_writer_appends_through_the_outbox_with_its_grants_alone(filled) -> None:
    engine, _ = filled
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS ansim_writer_2")
        connection.exec_driver_sql("CREATE ROLE ansim_writer_2")
        for statement in tables.grants_sql("ansim_writer_2"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("SET LOCAL ROLE ansim_writer_2")
        entry_id = outbox.append(connection, Event("a.b", "done", "u"), observer="test")
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql("DROP OWNED BY ansim_writer_2")
        connection.exec_driver_sql("DROP ROLE ansim_writer_2")
    assert entry_id in {row.id for row in rows(engine)[0]}


def test_the_tables_can_be_created_twice(database_url) -> None:
    engine = create_engine(database_url)
    tables.metadata.create_all(engine)
    tables.metadata.create_all(engine)
    engine.dispose()
