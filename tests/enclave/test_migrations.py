"""The migrations and the tables of the code say the same, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from audit.tables import ALL_TABLES
from enclave.errors import Conflict
from enclave.migrations import run
from enclave.model.tables import METADATA
from enclave.store import open_engine, writable


def test_a_migrated_database_has_exactly_the_tables_of_the_code(database_url):
    run.upgrade(database_url)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        options = {"include_object": run.is_ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA[0]) == []
        assert set(ALL_TABLES) <= set(inspect(connection).get_table_names())
    engine.dispose()


def test_upgrading_twice_changes_nothing_and_says_the_version(database_url):
    assert run.upgrade(database_url) == run.newest()
    assert run.upgrade(database_url) == run.newest()


def test_a_database_of_a_later_version_is_refused_in_words_and_left_as_it_is(database_url):
    run.upgrade(database_url)
    engine = open_engine(database_url)
    with writable(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict) as refused:
        run.upgrade(database_url)
    assert refused.value.code == "db.newer"
    assert "9999" in refused.value.ko
    assert run.newest() in refused.value.ko
    with engine.connect() as connection:
        assert run.current(connection) == "9999"
    engine.dispose()


def test_every_mapped_constraint_has_a_name_a_migration_can_speak_of():
    nameless = [
        (table.name, constraint)
        for table in METADATA[0].tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert nameless == []


def test_sqlite_runs_with_the_journal_and_durability_that_lose_nothing_acknowledged(sqlite_url):
    run.upgrade(sqlite_url)
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
