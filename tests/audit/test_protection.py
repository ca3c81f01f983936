"""Whoever owns the tables can take their protection away; then it is seen, told and recorded."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from audit import protection, sequencer, tables
from audit.canonical import decode
from audit.lag import lag_s, oldest_waiting
from audit.outbox import taken_at
from audit.reader import LogReader

ON_SQLITE = {
    "a trigger is dropped": (["DROP TRIGGER audit_entry_no_update"], ["audit_entry_no_update"]),
    "a trigger does nothing": (
        ["DROP TRIGGER audit_leaf_no_delete",
         "CREATE TRIGGER audit_leaf_no_delete BEFORE DELETE ON audit_leaf BEGIN SELECT 1; END"],
        ["audit_leaf_no_delete"],
    ),
    "a trigger removes what comes": (
        ["CREATE TRIGGER more AFTER INSERT ON audit_entry BEGIN SELECT 1; END"], ["more"],
    ),
    "a table takes the place of another": (
        ["ALTER TABLE audit_leaf RENAME TO away", "CREATE TABLE audit_leaf (leaf_index INTEGER, entry_id TEXT)"],
        # SQLite writes the new name into the trigger that looks into that table.
        ["audit_entry_no_update", *(f"audit_leaf_no_{what}" for what in ("update", "delete", "replace"))],
    ),
    "the schema is written by hand": (
        ["PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema WHERE name = 'audit_entry_no_replace'"],
        ["audit_entry_no_replace"],
    ),
}  # fmt: skip
EMPTIED = "CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
ON_POSTGRESQL = {
    "a trigger is dropped": (["DROP TRIGGER audit_entry_no_change ON audit_entry"], ["audit_entry_no_change"]),
    "triggers are switched off": (
        ["ALTER TABLE audit_leaf DISABLE TRIGGER ALL"], ["audit_leaf_no_change", "audit_leaf_no_truncate"],
    ),
    "a function does nothing": (
        [EMPTIED],
        ["audit_entry_no_change", "audit_entry_no_truncate"],
    ),
    "a rule swallows what comes": (
        ["CREATE RULE nothing AS ON INSERT TO audit_entry DO INSTEAD NOTHING"], ["audit_entry: rule nothing"],
    ),
    "a trigger swallows what comes": (
        [
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER more BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION swallow()",
        ],
        ["more"],
    ),
    "row security hides rows": (
        ["ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY"], ["audit_entry: row security"],
    ),
}  # fmt: skip


def attacked(engine, statements) -> tuple[str, ...]:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    with engine.connect() as connection:
        return protection.missing(connection)


def test_nothing_is_missing_from_what_was_made(engine) -> None:
    with engine.connect() as connection:
        assert protection.missing(connection) == ()


@pytest.mark.parametrize("attack", ON_SQLITE)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, ids=[""])
def test_on_sqlite_it_is_seen_when(engine, attack) -> None:
    statements, missing = ON_SQLITE[attack]
    assert attacked(engine, statements) == tuple(missing)


@pytest.mark.parametrize("attack", ON_POSTGRESQL)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, ids=[""])
def test_on_postgresql_it_is_seen_when(engine, attack) -> None:
    statements, missing = ON_POSTGRESQL[attack]
    assert attacked(engine, statements) == tuple(missing)


def test_the_sequencer_records_it_once_and_its_return(engine, log_folder, request) -> None:
    running = request.getfixturevalue("sequencer")
    take, give = (
        ("DROP TRIGGER audit_leaf_no_update", tables.protecting("audit_leaf", "sqlite")[0])
        if engine.dialect.name == "sqlite"
        else ("ALTER TABLE audit_leaf DISABLE TRIGGER ALL", "ALTER TABLE audit_leaf ENABLE TRIGGER ALL")
    )
    for statement in (None, take, None, give):
        if statement:
            attacked(engine, [statement])
        running.look_after_protection()
    running.step()
    told = [decode(data) for _, data in LogReader(log_folder).entries()]
    assert [(each["action"], each["outcome"]) for each in told] == [
        (sequencer.UNPROTECTED, "failed"),
        (sequencer.UNPROTECTED, "done"),
    ]
    assert "audit_leaf_no" in told[0]["details"]["missing"]


def test_a_running_sequencer_looks_by_itself(engine, log_folder, request) -> None:
    running = request.getfixturevalue("sequencer")
    attacked(engine, [tables_trigger(engine)])
    stop = threading.Event()
    thread = threading.Thread(target=running.run, args=(stop, 0.01))
    thread.start()
    try:
        for _ in range(2_000):
            if (log_folder / "checkpoint").exists() and LogReader(log_folder).size:
                break
            stop.wait(0.01)
    finally:
        stop.set()
        thread.join()
    assert decode(next(LogReader(log_folder).entries())[1])["action"] == sequencer.UNPROTECTED


def tables_trigger(engine) -> str:
    where = "" if engine.dialect.name == "sqlite" else " ON audit_entry"
    return f"DROP TRIGGER audit_entry_no_{'update' if not where else 'change'}{where}"


def test_the_log_is_behind_by_what_is_committed_and_not_published(engine, add, log_folder, request) -> None:
    running = request.getfixturevalue("sequencer")
    running.step()

    def behind() -> tuple[bool, float]:
        with engine.connect() as connection:
            size = LogReader(log_folder).size if log_folder.exists() else 0
            return oldest_waiting(connection, size) is not None, lag_s(connection, size)

    assert behind() == (False, 0.0)
    first, *_ = add(2)
    with engine.begin() as connection:
        # A later one, by its id's own time: 90 seconds after the first.
        late = later(first, 90)
        connection.execute(text("INSERT INTO audit_entry (id, bytes) VALUES (:id, :data)"), {"id": late, "data": b"x"})
    assert behind() == (True, 90.0)
    running._number()  # numbered is not yet published
    assert behind() == (True, 90.0)
    running.step()
    assert behind() == (False, 0.0)


def test_the_log_is_as_far_behind_when_the_clock_was_set_back_meanwhile(engine, add) -> None:
    first, *_ = add(1)
    with engine.begin() as connection:
        data = {"id": later(first, -90), "data": b"x"}
        connection.execute(text("INSERT INTO audit_entry (id, bytes) VALUES (:id, :data)"), data)
        assert lag_s(connection, 0) == 90.0


def later(entry_id: str, seconds: int) -> str:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for letter in entry_id:
        number = number << 5 | alphabet.index(letter)
    number += seconds * 1000 << 80
    return "".join(alphabet[number >> shift & 31] for shift in range(125, -1, -5))


def test_an_id_that_is_none_of_ours_has_no_moment() -> None:
    assert {taken_at(each).year for each in ("Z" * 26, "u" * 26, "")} == {1970}
